//! Words of every script are found in every spelling.

use afterword::{
    articles::NewArticle,
    database,
    search::{Mode, Query},
};
use proptest::{prelude::*, test_runner::TestRunner};
use unicode_normalization::UnicodeNormalization;

use super::TestHost;
use crate::support::article;

async fn with(texts: &[(&str, &str)]) -> TestHost {
    let world = TestHost::new().await;
    for (slug, body) in texts {
        world.articles(None).create(article(slug, body)).await.expect("a save");
    }
    world
}

/// The text of an article, and the questions that find it.
const FOUND: &[(&str, &str, &[&str])] = &[
    ("ligature", "The ﬁnance oﬃce", &["finance", "ﬁnance", "office"]),
    ("wide", "ＡＢＣ１２３ company", &["abc123", "ＡＢＣ１２３"]),
    ("hyphen", "Donau\u{ad}dampf zero\u{200b}width", &["Donaudampf", "zerowidth"]),
    ("polish", "Łódź leży w Polsce", &["lodz", "Łódź", "ŁÓDŹ"]),
    ("danish", "Smørrebrød på Ærø", &["smorrebrod", "aero", "Ærø"]),
    ("german", "Die Straße nach Großenhain", &["strasse", "STRASSE", "Straße", "grossenhain"]),
    ("croatian", "Đakovo je grad", &["dakovo", "ĐAKOVO"]),
    ("russian", "Ёлка и мёд в книге", &["елка", "Ёлку", "мед", "книги"]),
    ("hebrew", "שָׁלוֹם עולם", &["שלום", "שָׁלוֹם"]),
    ("arabic", "مُحَمَّد يقرأ الكتـاب", &["محمد", "الكتاب"]),
    ("greek", "Ὁ Ὀδυσσεύς ταξιδεύει", &["οδυσσευς", "ΟΔΥΣΣΕΥΣ"]),
    ("thai", "ภาษาไทยไม่เว้นวรรค", &["ภาษาไทย", "ไมเวน", "วรรค"]),
    ("hindi", "हिन्दी में क़लम", &["हिन्दी", "कलम"]),
    ("chinese", "备份数据库每天运行", &["如何备份数据库", "数据库", "库"]),
    ("japanese", "サーバーを再起動する", &["サーバー", "ｻｰﾊﾞｰ", "再起動"]),
    ("korean", "데이터베이스는 빠르다", &["데이터베이스", "빠르다"]),
    ("emoji", "Launch day 🚀 is here", &["🚀"]),
    ("apostrophe", "The author’s notes don't lie", &["author", "authors"]),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_script_is_found_in_every_form() {
    let texts: Vec<_> = FOUND.iter().map(|(slug, body, _)| (*slug, *body)).collect();
    let composed: Vec<_> = texts.iter().map(|(slug, body)| (*slug, body.nfc().collect::<String>())).collect();
    let apart: Vec<_> = texts.iter().map(|(slug, body)| (*slug, body.nfd().collect::<String>())).collect();
    for texts in [composed, apart] {
        let world = with(&texts.iter().map(|(slug, body)| (*slug, body.as_str())).collect::<Vec<_>>()).await;
        for (slug, _, queries) in FOUND {
            for query in *queries {
                for form in [query.nfc().collect::<String>(), query.nfd().collect(), query.nfkd().collect()] {
                    let found = world.found(&form, Mode::Keyword).await;
                    assert_eq!(found.first().map(String::as_str), Some(*slug), "{form} of {query}: {found:?}");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_looks_alike_is_not_found() {
    let world = with(&[("coffee", "コーヒーを飲む"), ("iodine", "Йод и соль"), ("past", "The past is gone")]).await;
    for query in ["サーバー", "иод", "pasta"] {
        assert!(world.found(query, Mode::Keyword).await.is_empty(), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_text_is_an_error_and_what_was_saved_is_found() {
    let world = TestHost::new().await;
    let mut runner = TestRunner::new(ProptestConfig { cases: 60, failure_persistence: None, ..Default::default() });
    let handle = tokio::runtime::Handle::current();
    let articles = world.articles(None);
    let count = std::sync::atomic::AtomicUsize::new(0);
    let outcome = tokio::task::block_in_place(|| {
        runner.run(
            &(any::<String>(), "[a-zß가-힣ぁ-ヺα-ωа-яא-ת一-龥\\-\":*<>() 🚀]{1,40}"),
            |(wild, tame)| {
                handle.block_on(async {
                    let slug = format!("text-{}", count.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
                    articles.create(article(&slug, &format!("{wild}\n{tame}"))).await.expect("a save");
                    for query in [&wild, &tame].into_iter().filter(|query| !query.trim().is_empty()) {
                        let answer = world.find(query, Mode::Keyword).await;
                        prop_assert!(answer.hits.iter().all(|hit| hit.score.is_finite()));
                    }
                    Ok(())
                })
            },
        )
    });
    outcome.expect("no text is an error");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_order_of_saving_does_not_matter() {
    let texts: Vec<(String, String)> = (0..30)
        .map(|n| (format!("a-{n:02}"), format!("umbrella {} {}", ["rain", "sun", "wind"][n % 3], n / 10)))
        .collect();
    let texts: Vec<(&str, &str)> = texts.iter().map(|(slug, body)| (slug.as_str(), body.as_str())).collect();
    let backwards: Vec<_> = texts.iter().rev().copied().collect();
    let (one, other) = (with(&texts).await, with(&backwards).await);
    for query in ["umbrella", "umbrella wind", "rain 2"] {
        assert_eq!(one.found(query, Mode::Keyword).await, other.found(query, Mode::Keyword).await, "{query}");
    }
}

/// The language, a text, and other forms of its words.
const INFLECTED: &[(&str, &str, &[&str])] = &[
    (
        "german",
        "Das Haus steht nicht weit von der Straße, und die Kinder spielen mit dem Ball.",
        &["Häuser", "Straßen", "Kind"],
    ),
    (
        "french",
        "Le service de l'administration est dans une autre rue, et les enfants sont avec elle.",
        &["administrations", "enfant"],
    ),
    (
        "spanish",
        "La información no está en los libros que se han leído por la noche.",
        &["informaciones", "informacion", "libro"],
    ),
    (
        "portuguese",
        "As informações não estão nos livros que foram lidos por ela.",
        &["informação", "informacao", "livro"],
    ),
    ("italian", "I gatti non sono nella casa e le porte sono chiuse.", &["gatto", "porta"]),
    (
        "romanian",
        "Cărțile nu sunt în casă și copiii au venit la școală pentru o lecție.",
        &["copiii", "lecții", "lectie"],
    ),
    ("swedish", "Bilarna är inte på vägen och hundarna sover i huset.", &["bil", "hund", "hundar"]),
    (
        "turkish",
        "Kitaplar masada değil, çünkü bu çocuklar için daha çok defter ve kalem var.",
        &["kitap", "KİTAPLARI", "çocuk"],
    ),
    ("english", "The houses are not far from the river, and the children are playing there.", &["house", "play"]),
    ("russian", "Книги лежат на столе, а дети играют во дворе.", &["книгами", "столы"]),
    ("thai", "ภาษาไทยไม่เว้นวรรคระหว่างคำ", &["เว้นวรรค", "ระหว่าง"]),
    ("vietnamese", "Thủ đô của Việt Nam là Hà Nội, nằm ở bờ sông Hồng.", &["Việt Nam", "Ha Noi", "sông Hồng"]),
    ("list", "Schrauben, Dübel, Kabel", &["Schrauben", "Kabel"]),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_article_has_the_stems_of_its_own_language() {
    let world = with(&INFLECTED.iter().map(|(slug, body, _)| (*slug, *body)).collect::<Vec<_>>()).await;
    for (slug, _, words) in INFLECTED {
        for word in *words {
            let found = world.found(word, Mode::Keyword).await;
            assert!(found.contains(&(*slug).to_owned()), "{word}: {found:?}");
            let demanded = world.found(&format!("\"{word}\""), Mode::Keyword).await;
            assert!(demanded.contains(&(*slug).to_owned()), "\"{word}\": {demanded:?}");
        }
    }
    let query = Query { explain: true, ..Query::new("Häuser", Mode::Keyword, 5) };
    let answer = world.search.search(&query).await.expect("an answer");
    let hit = &answer.hits[0];
    assert_eq!(hit.matches, [(4, 8)], "{}", hit.snippet);
    let terms: Vec<_> = hit.explanation.iter().flat_map(|why| &why.terms).map(|term| term.term.as_str()).collect();
    assert_eq!(terms, ["hauser"], "as it was asked for");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stem_of_one_language_is_no_word_of_another() {
    let world = with(&[
        ("gatti", "I gatti non sono nella casa e le porte sono chiuse."),
        ("gestern", "Das Haus steht nicht weit von der Straße, und die Libraries sind in dem Haus."),
        ("history", "In the past, the houses were not far from the river."),
    ])
    .await;
    database::renew_words(&world.database, "english").await.expect("new words");
    for stranger in ["pasta", "\"pasta\"", "title:pasta"] {
        let answer = world.find(stranger, Mode::Keyword).await;
        assert!(answer.hits.is_empty(), "{stranger}: {:?}", answer.hits);
    }
    assert_eq!(world.found("pasts", Mode::Keyword).await, ["history"]);
    for borrowed in ["library", "\"library\"", "\"die library\""] {
        assert_eq!(world.found(borrowed, Mode::Keyword).await, ["gestern"], "{borrowed}: borrowed with its plural");
    }
    assert!(world.found("Haus -library", Mode::Keyword).await.is_empty());
    assert_eq!(world.found("\"far from the riv*\"", Mode::Keyword).await, ["history"]);
    assert_eq!(world.found("\"weit von der Str*\"", Mode::Keyword).await, ["gestern"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_word_is_as_rare_as_it_is_in_all_languages_together() {
    // The stem of "server" is another one in German, and each is as rare as "zebra" by itself.
    let world = with(&[
        ("g-1", "Der Server ist nicht in der Halle, und das Haus auch."),
        ("g-2", "Der Server ist nicht in dem Haus, und die Halle auch."),
        ("e-1", "The server is not in the hall, and the house is."),
        ("e-2", "The server is not in the house, and the hall is."),
        ("l-1", "a plain list, server zebra"),
        ("l-2", "a plain list, zebra"),
        ("l-3", "a plain list, zebras"),
        ("n-1", "nothing here"),
        ("n-2", "nothing there"),
        ("n-3", "nothing at all"),
        ("n-4", "nothing else"),
        ("n-5", "nothing more"),
        ("n-6", "nothing new"),
    ])
    .await;
    let query =
        afterword::search::Query { explain: true, ..afterword::search::Query::new("server zebra", Mode::Keyword, 10) };
    let answer = world.search.search(&query).await.expect("an answer");
    assert_eq!(answer.hits[0].slug, "l-1");
    let why = answer.hits[0].explanation.as_ref().expect("an explanation");
    let idf = |word: &str| why.terms.iter().find(|term| term.term == word).map(|term| term.idf).expect("a term");
    assert!(idf("server") < idf("zebra"), "{:?}", why.terms);
    assert_eq!(answer.hits.len(), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn articles_of_several_languages_are_found_alike_in_whatever_order_they_were_saved() {
    let texts: Vec<_> = INFLECTED.iter().map(|(slug, body, _)| (*slug, *body)).collect();
    let backwards: Vec<_> = texts.iter().rev().copied().collect();
    let (one, other) = (with(&texts).await, with(&backwards).await);
    for query in ["haus kinder children enfants", "libro information", "kitap casa la", "die hunde und der ball"] {
        let (one, other) = (one.find(query, Mode::Keyword).await, other.find(query, Mode::Keyword).await);
        let ranked = |answer: &afterword::search::SearchAnswer| {
            answer.hits.iter().map(|hit| (hit.slug.clone(), hit.score)).collect::<Vec<_>>()
        };
        assert_eq!(ranked(&one), ranked(&other), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_character_with_any_number_of_marks_is_saved_and_found() {
    let world = TestHost::new().await;
    for (n, (letter, mark)) in
        [("ก", '\u{e47}'), ("a", '\u{e47}'), ("क", '\u{93f}'), ("猫", '\u{93f}')].iter().enumerate()
    {
        let (text, slug) = (format!("{letter}{}", mark.to_string().repeat(700)), format!("text-{n}"));
        world.articles(None).create(article(&slug, &text)).await.expect("a save");
        for question in [text.clone(), format!("\"{text}\""), format!("title:\"{text}\""), format!("nothing -{text}")] {
            let answer = world.find(&question, Mode::Keyword).await;
            assert!(answer.hits.iter().all(|hit| hit.slug == slug), "{letter}: {:?}", answer.hits);
        }
        assert_eq!(world.found(&text, Mode::Keyword).await, [slug], "{letter}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_demanded_or_not_wanted_may_be_written_without_accents() {
    let world = TestHost::new().await;
    let body = "La información pública de la ciudad no está en los libros que se han leído por la noche.";
    let spanish = NewArticle { title: "Información pública de la ciudad".to_owned(), ..article("spanish", body) };
    world.articles(None).create(spanish).await.expect("a save");
    world.articles(None).create(article("other", "Una ciudad.")).await.expect("a save");
    for question in [
        "title:informacion",
        "title:información",
        "title:\"informacion publica\"",
        "\"informacion publica\"",
        "\"información publica\"",
        "\"INFORMACION PUBLICA\"",
    ] {
        assert_eq!(world.found(question, Mode::Keyword).await, ["spanish"], "{question}");
    }
    for question in
        ["ciudad -informacion", "ciudad -información", "ciudad -\"informacion publica\"", "ciudad -title:informacion"]
    {
        assert_eq!(world.found(question, Mode::Keyword).await, ["other"], "{question}");
    }
}
