//! Phrases, exclusions, beginnings, fields, and slips of writing.

#[path = "language/phrases.rs"]
mod phrases;
#[path = "language/several.rs"]
mod several;

use afterword::{
    articles::{ArticlePatch, NewArticle, folder::Folder, slug::Slug},
    search::{Mode, Query},
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
