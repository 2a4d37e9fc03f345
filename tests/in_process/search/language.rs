//! Phrases, exclusions, beginnings, fields, and slips of writing.

use afterword::{
    articles::{ArticlePatch, NewArticle, folder::Folder, slug::Slug},
    search::{Mode, Query, SearchAnswer},
};

use super::TestHost;
use crate::support::article;

async fn world() -> TestHost {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let within = |folder: &str, new: NewArticle| NewArticle { folder: Folder::parse(folder).expect("a folder"), ..new };
    for new in [
        within("guides/rust", article("shared-state", "Threads share data by shared state and a mutex.")),
        within("guides", article("state-shared", "The state is shared with lifetimes in mind; running late.")),
        within("notes", article("parsing", "A parser reads tokens; deadlock is far away.")),
    ] {
        articles.create(new).await.expect("a save");
    }
    world
}

async fn found(world: &TestHost, query: &str) -> Vec<String> {
    let mut found = world.found(query, Mode::Keyword).await;
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_mean_what_people_know() {
    let world = world().await;
    for (query, expected) in [
        ("shared state", vec!["shared-state", "state-shared"]),
        ("\"shared state\"", vec!["shared-state"]),
        ("state -mutex", vec!["state-shared"]),
        ("state -\"shared state\"", vec!["state-shared"]),
        ("pars*", vec!["parsing"]),
        ("runni*", vec!["state-shared"]),
        ("state folder:guides/rust", vec!["shared-state"]),
        ("folder:guides", vec!["shared-state", "state-shared"]),
        ("-folder:guides", vec!["parsing"]),
        ("slug:state-*", vec!["state-shared"]),
        ("title:parsing", vec!["parsing"]),
        ("title:\"of parsing\" tokens", vec!["parsing"]),
        ("title:deadlock", vec![]),
        ("updated:<7d tokens", vec!["parsing"]),
        ("created:<2020 tokens", vec![]),
        ("created:>2020-01 tokens", vec!["parsing"]),
    ] {
        assert_eq!(found(&world, query).await, expected, "{query}");
    }
    let nonsense =
        ["\"", "-", "a:b", "created:soon", "((", "NEAR(", "title:", "*", "tokens OR", "folder:\"", "-\"x", "\u{0}"];
    for query in nonsense {
        world.find(query, Mode::Keyword).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demand_holds_for_what_is_found_by_meaning_too() {
    let world = world().await;
    let runtime = world.start().await;
    world.settled(&runtime).await;
    for mode in [Mode::Hybrid, Mode::Semantic] {
        assert_eq!(world.found("\"shared state\"", mode).await, ["shared-state"], "{mode}");
        assert!(!world.found("state -mutex", mode).await.contains(&"shared-state".to_owned()), "{mode}");
        assert_eq!(world.found("state folder:notes", mode).await, ["parsing"], "{mode}");
    }
    runtime.stop(crate::support::DRAIN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slip_is_corrected_and_said() {
    let world = world().await;
    let answer = world.find("lifetmes", Mode::Keyword).await;
    assert_eq!(answer.hits[0].slug, "state-shared");
    assert_eq!((answer.corrections[0].from.as_str(), answer.corrections[0].to.as_str()), ("lifetmes", "lifetimes"));
    assert!(world.find("lifetimes", Mode::Keyword).await.corrections.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_question_is_cut_and_says_so() {
    let world = world().await;
    let answer = world.find(&format!("mutex {}", "word ".repeat(1_000)), Mode::Keyword).await;
    assert_eq!(answer.hits[0].slug, "shared-state");
    assert!(answer.cut_to.is_some_and(|characters| characters <= 2_000));
    assert!(world.find("mutex", Mode::Keyword).await.cut_to.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn words_are_marked_and_explained() {
    let world = world().await;
    let query = Query { explain: true, ..Query::new("mutexes data", Mode::Keyword, 5) };
    let answer = world.search.search(&query).await.expect("an answer");
    let hit = &answer.hits[0];
    let marked = |(start, end): &(usize, usize)| hit.snippet.chars().skip(*start).take(end - start).collect::<String>();
    assert_eq!(hit.matches.iter().map(marked).collect::<Vec<_>>(), ["data", "mutex"]);
    let why = hit.explanation.as_ref().expect("an explanation");
    assert_eq!(why.terms.len(), 2);
    assert!((why.terms.iter().map(|term| term.share).sum::<f64>() - 1.0).abs() < 0.01);
    assert!(why.words.is_some_and(|words| words > 0.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn low_confidence_is_said_where_it_is_low() {
    let world = world().await;
    assert!(world.find("how do I cook spaghetti with tokens", Mode::Keyword).await.low_confidence);
    assert!(!world.find("a parser of tokens", Mode::Keyword).await.low_confidence);
    assert!(!world.find("folder:guides", Mode::Keyword).await.low_confidence);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_has_no_ranking_to_explain() {
    let world = world().await;
    let query = Query { explain: true, ..Query::new("folder:guides", Mode::Hybrid, 5) };
    let answer = world.search.search(&query).await.expect("an answer");
    assert_eq!((answer.hits.len(), answer.weights), (2, None));
    assert!(answer.hits.iter().all(|hit| hit.explanation.is_none()), "{:?}", answer.hits);
    let several = world.search.search_several(&query, &["created:>2020-01".to_owned()]).await.expect("an answer");
    assert!(several.weights.is_none() && several.hits.iter().all(|hit| hit.explanation.is_none()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guess_is_told_and_is_no_good_match() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    for (slug, body) in [
        ("docs", "Documentation is written for people."),
        ("vars", "Several arguments are passed."),
        ("more", "Arguments again: documents, collectors, environments."),
        ("last", "Collections of things, one collection and another collection in an environment."),
        ("poison", "Poison is mixed in: Mixing, Baking and parsing; a better master of hiding, and testing."),
        ("contents", "Contents"),
    ] {
        articles.create(article(slug, body)).await.expect("a save");
    }
    let asked = async |word: &str| {
        let answer = world.find(word, Mode::Keyword).await;
        (answer.corrections.into_iter().map(|correction| correction.to).collect::<Vec<_>>(), answer.low_confidence)
    };
    for (written, meant) in [
        ("documentaion", "Documentation"),
        ("collecton", "collection"),
        ("enviroment", "environment"),
        // Articles have another form of it only.
        ("arguement", "argument"),
    ] {
        let (corrections, _) = asked(written).await;
        assert_eq!(corrections, [meant], "{written}");
    }
    assert!(!asked("documentaion").await.1 && asked("contexts").await == (vec!["contents".to_owned()], true));
    for right in ["prison", "mining", "banking", "biking", "parking", "hiking", "tasting", "mister", "batter"] {
        assert_eq!(asked(right).await, (Vec::new(), true), "{right}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_a_word_that_many_articles_have_hides_no_other() {
    let world = TestHost::new().await;
    for n in 0..5 {
        world.articles(None).create(article(&format!("a-{n}"), "Configured, and configuring.")).await.expect("a save");
    }
    world.articles(None).create(article("z", "The configuration.")).await.expect("a save");
    let answer = world.find("configuraton", Mode::Keyword).await;
    assert_eq!(answer.corrections[0].to, "configuration");
}

/// Where an article may have a word besides its text.
fn named(place: usize, word: &str) -> NewArticle {
    let filler = |n: usize| (0..n).map(|n| format!("filler{}", n % 7)).collect::<Vec<_>>().join(" ");
    let plain = NewArticle { title: "A plain article".to_owned(), ..article("named", &filler(400)) };
    let head = |line: String| format!("---\n{line}\n---\n");
    match place {
        0 => NewArticle { title: format!("A {word} article"), ..plain },
        1 => NewArticle { front_matter: head(format!("aliases: [{word}, other]")), ..plain },
        2 => NewArticle { front_matter: head(format!("tags: [some/{word}]")), ..plain },
        3 => NewArticle { front_matter: head(format!("description: all about {word}")), ..plain },
        _ => NewArticle { body: format!("{} #{word}", filler(399)), ..plain },
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_article_is_called_and_is_about_counts_more_than_its_text() {
    use proptest::{prelude::*, test_runner::TestRunner};
    let mut runner = TestRunner::new(ProptestConfig { cases: 24, failure_persistence: None, ..Default::default() });
    let handle = tokio::runtime::Handle::current();
    let outcome = tokio::task::block_in_place(|| {
        runner.run(&(0_usize..5, "[a-z]{4,12}q", 0_usize..400, any::<bool>()), |(place, word, at, named_first)| {
            handle.block_on(async {
                let world = TestHost::new().await;
                let articles = world.articles(None);
                let mut words: Vec<_> = (0..400).map(|n| format!("filler{}", n % 7)).collect();
                words[at] = word.clone();
                let in_text =
                    NewArticle { title: "A plain article".to_owned(), ..article("in-text", &words.join(" ")) };
                let named = named(place, &word);
                let both = if named_first { [named, in_text] } else { [in_text, named] };
                for new in both.into_iter().chain((0..5).map(|n| article(&format!("other-{n}"), "filler0 filler1"))) {
                    articles.create(new).await.expect("a save");
                }
                prop_assert_eq!(world.found(&word, Mode::Keyword).await, ["named", "in-text"]);
                Ok(())
            })
        })
    });
    outcome.expect("what it is called comes first");
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_found_as_soon_as_they_are_given_and_are_no_part_of_the_title_or_of_each_other() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    articles.create(named(9, "unnamed")).await.expect("a save");
    let set =
        |front_matter: &str| ArticlePatch { front_matter: Some(front_matter.to_owned()), ..ArticlePatch::default() };
    articles.update("named", set("---\naliases: [Zeppelin One, Airship]\n---\n")).await.expect("a change");
    for query in ["zeppelins", "\"zeppelin one\"", "airship"] {
        assert_eq!(world.found(query, Mode::Keyword).await, ["named"], "{query}");
    }
    for query in ["title:zeppelin", "\"one airship\"", "\"one zeppelin\""] {
        assert!(world.found(query, Mode::Keyword).await.is_empty(), "{query}");
    }
    articles.update("named", set("")).await.expect("a change");
    assert!(world.found("zeppelin", Mode::Keyword).await.is_empty());
    articles.update("named", set("---\ntags: [zeppelin]\n---\n")).await.expect("a change");
    afterword::database::rebuild(&world.database, "english", &|_| ()).await.expect("an index");
    assert_eq!(world.found("zeppelin", Mode::Keyword).await, ["named"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_explains_a_hit_is_what_ranked_it() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    for n in 0..12 {
        let body = format!("common {} {} end", if n < 4 { "seldom" } else { "" }, if n < 1 { "rare" } else { "" });
        articles.create(article(&format!("a-{n:02}"), &body)).await.expect("a save");
    }
    let explained = async |question: &str| {
        let query = Query { explain: true, ..Query::new(question, Mode::Keyword, 5) };
        let hits = world.search.search(&query).await.expect("an answer").hits;
        let hit = hits.into_iter().find(|hit| hit.slug == "a-00").expect("the article that has all words");
        (hit.score, hit.explanation.expect("an explanation").terms)
    };
    let (rare, of_rare) = explained("rare").await;
    let (seldom, of_seldom) = explained("seldom").await;
    assert!((rare / seldom - of_rare[0].idf / of_seldom[0].idf).abs() < 0.001, "{of_rare:?}, {of_seldom:?}");
    let (both, shares) = explained("rare seldom").await;
    assert!((both - rare - seldom).abs() < 1e-4, "{both} = {rare} + {seldom}");
    let share = |word: &str| shares.iter().find(|term| term.term == word).expect("a term").share;
    assert!((share("rare") - rare / both).abs() < 0.001 && (share("seldom") - seldom / both).abs() < 0.001);
    let (all, shares) = explained("common rare").await;
    let share = shares.iter().find(|term| term.term == "common").expect("a term").share;
    assert!(
        (share - (all - rare) / all).abs() < 0.001,
        "a frequent word is worth as little as in the ranking: {shares:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn several_questions_have_one_answer() {
    let world = world().await;
    let asked = async |questions: &[&str]| {
        let others: Vec<_> = questions[1..].iter().map(|question| (*question).to_owned()).collect();
        world.search.search_several(&Query::new(questions[0], Mode::Keyword, 2), &others).await
    };
    let answer = asked(&["deadlock far away", "mutex threads"]).await.expect("an answer");
    let found: Vec<_> = answer.hits.iter().map(|hit| (hit.slug.as_str(), hit.questions.as_slice())).collect();
    assert_eq!(found, [("parsing", &[1][..]), ("shared-state", &[2])]);
    let answer = asked(&["mutex threads", "state shared", "running late"]).await.expect("an answer");
    assert_eq!(answer.hits.len(), 2);
    assert!(answer.hits.iter().all(|hit| hit.questions.len() == 2), "{:?}", answer.hits);
    assert!(asked(&["a", "b", "c", "d", "e", "f"]).await.is_err(), "six are too many");
    assert!(asked(&["mutex", " "]).await.is_err(), "one of them asks nothing");
    let one = asked(&["mutex"]).await.expect("an answer");
    assert!(one.hits[0].questions.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_beginning_is_worth_more_the_more_often_it_occurs() {
    const MAX_HITS: usize = 12;
    for (question, filler, words) in [
        ("cat*", "filler", ["cat", "cats", "catalogue", "category", "cat", "cattle"]),
        ("猫", "本を", ["猫が", "猫は", "猫を", "猫が", "黒猫", "猫の"]),
    ] {
        let world = TestHost::new().await;
        let articles = world.articles(None);
        for n in 0..3 * MAX_HITS {
            let count = if n <= MAX_HITS { n } else { 0 };
            let body: Vec<_> =
                (0..MAX_HITS).map(|at| if at < count { words[at % words.len()] } else { filler }).collect();
            articles.create(article(&format!("a-{n:02}"), &body.join(" "))).await.expect("a save");
        }
        let answer = world.search.search(&Query::new(question, Mode::Keyword, 50)).await.expect("an answer");
        let found: Vec<_> = answer.hits.iter().map(|hit| hit.slug.clone()).collect();
        let most_first: Vec<_> = (1..=MAX_HITS).rev().map(|n| format!("a-{n:02}")).collect();
        assert_eq!(found, most_first, "{question}");
        let scores: Vec<_> = answer.hits.iter().map(|hit| hit.score).collect();
        assert!(scores.windows(2).all(|pair| pair[0] > pair[1] && pair[1] > 0.0), "{question}: {scores:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phrase_is_found_wherever_it_stands_and_however_frequent_its_words_are() {
    const WORDS: usize = 700;
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let last = format!("{}The zanzibar wharf.", "The cat sat on a mat. ".repeat(300));
    let all: Vec<_> = (0..WORDS).map(|n| format!("the w{n} of")).collect();
    for (slug, body) in [("last", last), ("all", all.join(" ")), ("cat", "A cat.".to_owned())] {
        articles.create(article(slug, &body)).await.expect("a save");
    }
    assert_eq!(found(&world, "\"the zanzibar wharf\"").await, ["last"]);
    assert_eq!(found(&world, "cat -\"the zanzibar\"").await, ["cat"]);
    for n in 1..WORDS {
        assert_eq!(found(&world, &format!("\"w{} of the w{n}\"", n - 1)).await, ["all"], "{n}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_phrase_reaches_from_the_title_into_the_text() {
    let world = TestHost::new().await;
    let titled = NewArticle { title: "Blue harbour".to_owned(), ..article("one", "lights at night") };
    world.articles(None).create(titled).await.expect("a save");
    for (question, expected) in
        [("\"harbour lights\"", &[][..]), ("\"blue harbour\"", &["one"]), ("\"lights at night\"", &["one"])]
    {
        assert_eq!(found(&world, question).await, expected, "{question}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_article_is_one_however_long_it_is() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let long = format!("{} zeppelins", "zeppelin ".repeat(20_000));
    for (slug, body) in [("long", long.as_str()), ("short", "a parasol"), ("other", "nothing"), ("another", "nothing")]
    {
        articles.create(article(slug, body)).await.expect("a save");
    }
    let idf = async |question: &str| {
        let query = Query { explain: true, ..Query::new(question, Mode::Keyword, 5) };
        let answer = world.search.search(&query).await.expect("an answer");
        answer.hits[0].explanation.as_ref().expect("an explanation").terms[0].idf
    };
    for [frequent, seldom] in [["zeppelin", "parasol"], ["zepp*", "paras*"]] {
        assert!((idf(frequent).await - idf(seldom).await).abs() < 1e-9, "{frequent}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_beginning_that_is_not_wanted_or_demanded_of_the_title_is_the_same_as_one_that_is_looked_for() {
    let world = TestHost::new().await;
    let words =
        ["market", "marketing", "marketplace", "running", "runner", "run", "rung", "animals", "animosity", "cat"];
    for word in words {
        let titled = NewArticle { title: format!("All of {word}"), ..article(word, &format!("ground {word}")) };
        world.articles(None).create(titled).await.expect("a save");
    }
    for start in ["runni*", "marketing*", "marketp*", "animals*", "run*", "mark*", "ca*"] {
        let with = found(&world, start).await;
        let mut without: Vec<_> =
            words.iter().map(|word| (*word).to_owned()).filter(|word| !with.contains(word)).collect();
        without.sort();
        assert_eq!(found(&world, &format!("ground -{start}")).await, without, "{start}");
        assert_eq!(found(&world, &format!("title:{start}")).await, with, "{start}");
    }
    assert!(found(&world, "ground -marketing*").await.contains(&"marketplace".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_that_says_nothing_is_text() {
    let world = world().await;
    for condition in
        ["title:???", "title:\"\"", "title:*", "folder:\"\"", "folder:/", "tag:#", "tag:///", "slug:*", "slug:\"\""]
    {
        let as_text = condition.replace(':', " ");
        for question in [condition.to_owned(), format!("tokens {condition}")] {
            let expected = found(&world, &question.replace(condition, &as_text)).await;
            assert_eq!(found(&world, &question).await, expected, "{question}");
        }
    }
    assert!(found(&world, "folder:/").await.is_empty() && found(&world, "slug:*").await.is_empty());
    world.articles(None).create(article("launch", "Launch day 🚀 of rust")).await.expect("a save");
    world.articles(None).create(article("rust", "Iron and rust")).await.expect("a save");
    assert_eq!(found(&world, "rust -🚀").await, ["rust"]);
    assert_eq!(found(&world, "rust \"🚀\"").await, ["launch"]);
    assert_eq!(found(&world, "slug:State-Shared").await, ["state-shared"]);
    assert_eq!(found(&world, "slug:STATE-*").await, ["state-shared"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_saved_over_and_over_and_what_is_deleted_changes_no_rank_of_others() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    for n in 0..20 {
        let word = if n == 5 { "budget" } else { "agenda" };
        articles.create(article(&format!("w{n:02}"), &format!("meeting {word}"))).await.expect("a save");
    }
    articles.create(article("diary", "nothing")).await.expect("a save");
    let asked = async || {
        let query = Query { explain: true, ..Query::new("meeting budget", Mode::Keyword, 30) };
        let hits = world.search.search(&query).await.expect("an answer").hits;
        let why = hits[0].explanation.clone().expect("an explanation");
        let idf: Vec<_> = why.terms.iter().map(|term| (term.term.clone(), term.idf)).collect();
        (hits.iter().map(|hit| hit.slug.clone()).collect::<Vec<_>>(), hits[0].score, idf)
    };
    let before = asked().await;
    assert_eq!(before.0[0], "w05");
    for n in 0..60 {
        let body = Some(format!("nothing {}", "again ".repeat(n)));
        articles.update("diary", ArticlePatch { body, ..ArticlePatch::default() }).await.expect("a save");
        articles.create(article("passing", "agenda budget meeting")).await.expect("a save");
        articles.delete("passing", None).await.expect("a deletion");
    }
    let body = Some("nothing".to_owned());
    articles.update("diary", ArticlePatch { body, ..ArticlePatch::default() }).await.expect("a save");
    assert_eq!(asked().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_longer_answer_to_several_questions_begins_as_a_shorter_one() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    for n in 0..40 {
        let body = format!("{} {} filler", "kite ".repeat(1 + n % 7), "sail ".repeat(1 + (n * 3) % 11));
        articles.create(article(&format!("a-{n:02}"), &body)).await.expect("a save");
    }
    let asked = async |limit| {
        let query = Query::new("kite", Mode::Keyword, limit);
        let answer = world.search.search_several(&query, &["sail".to_owned()]).await.expect("an answer");
        answer.hits.into_iter().map(|hit| (hit.slug, hit.questions, hit.snippet)).collect::<Vec<_>>()
    };
    let all = asked(40).await;
    assert_eq!(all.len(), 40);
    for limit in [1, 2, 5, 11, 25] {
        assert_eq!(asked(limit).await, all[..limit]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_among_several_is_explained_as_it_is_alone() {
    let world = TestHost::new().await;
    for n in 0..12 {
        let body = format!("{} {} filler", "kite ".repeat(1 + n % 5), "sailing ".repeat(n * 3 % 7));
        world.articles(None).create(article(&format!("a-{n:02}"), &body)).await.expect("a save");
    }
    let query = Query { explain: true, ..Query::new("kite sail* \"kite sailing\"", Mode::Keyword, 5) };
    let alone = world.search.search(&query).await.expect("an answer");
    let several = world.search.search_several(&query, &["xylophone".to_owned()]).await.expect("an answer");
    let explained = |answer: SearchAnswer| -> Vec<_> {
        answer.hits.into_iter().map(|hit| (hit.slug, hit.explanation.expect("why"))).collect()
    };
    let alone = explained(alone);
    assert_eq!(alone.len(), 5);
    assert_eq!(explained(several), alone);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_demands_hold_together() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let words: Vec<_> = (0..30).map(|n| format!("word{n}x")).collect();
    articles.create(article("all", &words.join(" "))).await.expect("a save");
    articles.create(article("most", &words[1..].join(" "))).await.expect("a save");
    let new = NewArticle { title: words.join(" "), ..article("named", "Nothing but its title.") };
    articles.create(new).await.expect("a save");
    let asked = |prefix: &str, words: &[String]| {
        words.iter().map(|word| format!("{prefix}\"{word}\"")).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(found(&world, &asked("", &words[..18])).await, ["all", "named"]);
    assert_eq!(found(&world, &asked("", &words[1..18])).await, ["all", "most", "named"]);
    assert_eq!(found(&world, &asked("title:", &words[..18])).await, ["named"]);
    assert_eq!(found(&world, &format!("nothing {}", asked("-title:", &words[1..18]))).await, [""; 0]);
    assert_eq!(found(&world, &format!("word3x {}", asked("-", &words[..1]))).await, ["most"]);
    assert_eq!(found(&world, "\"word1x word2x\" \"word3x wor*\" title:word4x").await, ["named"]);
    // What is beyond some is looked for, and not demanded.
    assert_eq!(found(&world, &asked("", &words)).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demanded_beginning_is_found_by_its_words() {
    let world = world().await;
    assert_eq!(found(&world, "\"shared stat*\"").await, ["shared-state"]);
    assert_eq!(found(&world, "\"data by shar*\"").await, ["shared-state"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_word_that_is_no_slip_of_any_is_not_corrected() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    articles
        .create(article("git", "Revert a commit; what was reverted comes back. A cool day."))
        .await
        .expect("a save");
    articles.create(article("coast", "The coast, and its servers.")).await.expect("a save");
    for right in ["reverse proxy", "how do I cook risotto"] {
        let answer = world.find(right, Mode::Keyword).await;
        assert!(answer.corrections.is_empty(), "{right}: {:?}", answer.corrections);
    }
    let answer = world.find("sevrers", Mode::Keyword).await;
    assert_eq!(answer.corrections[0].to, "servers", "as it is written somewhere");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slug_that_an_article_had_and_a_folder_however_it_is_written_are_conditions() {
    let world = world().await;
    let articles = world.articles(None);
    articles.rename("parsing", Slug::parse("tokens").expect("a slug"), None).await.expect("a new name");
    assert_eq!(found(&world, "slug:parsing").await, ["tokens"]);
    assert_eq!(found(&world, "slug:tokens").await, ["tokens"]);
    assert_eq!(found(&world, "deadlock -slug:parsing").await, [""; 0]);
    assert_eq!(found(&world, "deadlock -slug:unknown").await, ["tokens"]);
    for folder in ["folder:guides//rust", "folder:\" guides / rust \"", "folder:/guides/rust/"] {
        assert_eq!(found(&world, folder).await, ["shared-state"], "{folder}");
    }
}
