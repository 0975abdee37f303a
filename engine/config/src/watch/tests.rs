use std::collections::VecDeque;
use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;

/// A folder that changes as a script says: each read takes the next content; the last one stays.
#[derive(Clone)]
struct Script(Arc<Mutex<(VecDeque<Sources>, usize)>>);

impl Script {
    fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        Script(Arc::new(Mutex::new((texts.into_iter().map(content).collect(), 0))))
    }

    fn then<'a>(&self, texts: impl IntoIterator<Item = &'a str>) {
        // What stands now is gone with the next read.
        self.0.lock().unwrap().0 = texts.into_iter().map(content).collect();
    }

    fn reads(&self) -> usize {
        self.0.lock().unwrap().1
    }

    fn watch(&self, known: Option<Version>) -> (Watch, Arc<tokio::sync::Notify>) {
        let script = self.clone();
        let notifier = Notifier::new(Path::new("/there/is/no/such/folder"));
        let waker = notifier.waker();
        let read = move || {
            let mut script = script.0.lock().unwrap();
            script.1 += 1;
            if script.0.len() > 1 { script.0.pop_front().unwrap() } else { script.0[0].clone() }
        };
        (Watch::spawn(read, notifier, known), waker)
    }
}

fn content(text: &str) -> Sources {
    match text {
        "GONE" => Sources::read(Path::new("/there/is/no/such/folder")),
        text => Sources::in_memory(Path::new("/cfg"), [("a.yaml", text)]),
    }
}

async fn settled(watch: &mut Watch) -> String {
    match watch.next().await.unwrap() {
        Change::Settled(sources) => sources.files()[0].text.to_string(),
        Change::Gone(_) => "GONE".to_owned(),
    }
}

async fn quiet(watch: &mut Watch, time: Duration) {
    assert_eq!(tokio::time::timeout(time, watch.next()).await.ok(), None);
}

#[tokio::test(start_paused = true)]
async fn what_is_known_is_not_reported_and_what_is_not_is() {
    let script = Script::new(["a: 1"]);
    let (mut watch, _) = script.watch(Some(content("a: 1").version().clone()));
    quiet(&mut watch, Duration::from_secs(60)).await;
    let (mut watch, _) = script.watch(None);
    assert_eq!(settled(&mut watch).await, "a: 1");
    quiet(&mut watch, Duration::from_secs(60)).await;
}

#[tokio::test(start_paused = true)]
async fn content_that_still_changes_is_not_reported() {
    let script = Script::new(["a: 1"]);
    let (mut watch, _) = script.watch(None);
    assert_eq!(settled(&mut watch).await, "a: 1");
    script.then(["a: 1\nb", "a: 1\nb: 2", "a: 1\nb: 2\nc: 3", "a: 1\nb: 2\nc: 3\nd: 4"]);
    assert_eq!(settled(&mut watch).await, "a: 1\nb: 2\nc: 3\nd: 4");
    quiet(&mut watch, Duration::from_secs(60)).await;
}

#[tokio::test(start_paused = true)]
async fn half_a_file_that_pauses_is_waited_for() {
    let script = Script::new(["a: 1"]);
    let (mut watch, _) = script.watch(None);
    assert_eq!(settled(&mut watch).await, "a: 1");
    // Five reads, half a second, in the middle of a quoted string.
    script.then(["a: 'half"; 5]);
    script.then(["a: 'half and whole'"]);
    assert_eq!(settled(&mut watch).await, "a: 'half and whole'");
}

#[tokio::test(start_paused = true)]
async fn a_file_that_stays_broken_is_reported_and_so_is_its_repair() {
    let script = Script::new(["a: 1"]);
    let (mut watch, _) = script.watch(None);
    assert_eq!(settled(&mut watch).await, "a: 1");
    let started = tokio::time::Instant::now();
    script.then(["a: 'broken"]);
    assert_eq!(settled(&mut watch).await, "a: 'broken");
    assert!(
        started.elapsed() >= PATIENCE && started.elapsed() <= POLL_INTERVAL + PATIENCE * 2,
        "{:?}",
        started.elapsed()
    );
    script.then(["a: 'mended'"]);
    assert_eq!(settled(&mut watch).await, "a: 'mended'");
}

#[tokio::test(start_paused = true)]
async fn a_change_taken_back_is_no_change() {
    let script = Script::new(["a: 1"]);
    let (mut watch, _) = script.watch(None);
    assert_eq!(settled(&mut watch).await, "a: 1");
    script.then(["a: 2", "a: 1"]);
    quiet(&mut watch, Duration::from_secs(60)).await;
}

#[tokio::test(start_paused = true)]
async fn content_that_never_stands_still_is_reported_in_bounded_time() {
    let texts: Vec<String> = (0..10_000).map(|n| format!("a: {n}")).collect();
    let script = Script::new(texts.iter().map(String::as_str));
    let (mut watch, _) = script.watch(None);
    let started = tokio::time::Instant::now();
    settled(&mut watch).await;
    assert!(started.elapsed() <= SETTLE_LIMIT + SETTLE_STEP * 2, "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_folder_that_vanishes_is_reported_once_and_its_return_too() {
    let script = Script::new(["a: 1"]);
    let (mut watch, _) = script.watch(None);
    assert_eq!(settled(&mut watch).await, "a: 1");
    script.then(["GONE"]);
    assert_eq!(settled(&mut watch).await, "GONE");
    quiet(&mut watch, Duration::from_secs(60)).await;
    script.then(["a: 1"]);
    assert_eq!(settled(&mut watch).await, "a: 1");
}

#[tokio::test(start_paused = true)]
async fn a_folder_replaced_by_rename_is_never_gone() {
    let script = Script::new(["a: 1"]);
    let (mut watch, _) = script.watch(None);
    assert_eq!(settled(&mut watch).await, "a: 1");
    script.then(["GONE", "GONE", "a: 2"]);
    assert_eq!(settled(&mut watch).await, "a: 2");
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_notifications_makes_few_reads() {
    let script = Script::new(["a: 1"]);
    let (mut watch, waker) = script.watch(None);
    assert_eq!(settled(&mut watch).await, "a: 1");
    let before = script.reads();
    for _ in 0..1_000 {
        waker.notify_one();
        quiet(&mut watch, Duration::from_millis(1)).await;
    }
    let reads = script.reads() - before;
    assert!((5..=15).contains(&reads), "{reads} reads in a second");
}

#[tokio::test(start_paused = true)]
async fn a_dropped_watch_reads_no_more() {
    let script = Script::new(["a: 1"]);
    let (watch, _) = script.watch(None);
    drop(watch);
    tokio::task::yield_now().await;
    let before = script.reads();
    tokio::time::advance(Duration::from_secs(60)).await;
    tokio::task::yield_now().await;
    assert!(script.reads() <= before + 1);
}

/// The real disk and the real clock; waits end with the event, the limit is only for a failure.
async fn within<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), what).await.expect("no change was reported in 30 s")
}

#[tokio::test]
async fn real_files_are_watched_through_writes_renames_and_removal() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("config");
    fs::create_dir(&config).unwrap();
    fs::write(config.join("a.yaml"), "a: 1").unwrap();
    let mut watch = Watch::start(&config, Some(Sources::read(&config).version().clone()));

    fs::write(config.join("a.yaml"), "a: 2").unwrap();
    assert_eq!(within(settled(&mut watch)).await, "a: 2");

    fs::write(config.join(".tmp"), "a: 3").unwrap();
    fs::rename(config.join(".tmp"), config.join("a.yaml")).unwrap();
    assert_eq!(within(settled(&mut watch)).await, "a: 3");

    fs::remove_dir_all(&config).unwrap();
    assert_eq!(within(settled(&mut watch)).await, "GONE");

    fs::create_dir(&config).unwrap();
    fs::write(config.join("a.yaml"), "a: 4").unwrap();
    assert_eq!(within(settled(&mut watch)).await, "a: 4");

    fs::write(config.join("a.yaml"), "a: 5").unwrap();
    assert_eq!(within(settled(&mut watch)).await, "a: 5");
}

#[cfg(unix)]
#[tokio::test]
async fn the_swap_of_a_config_map_is_one_change() {
    use std::os::unix::fs::symlink;
    let dir = tempfile::tempdir().unwrap();
    for (version, text) in [("..1", "a: old"), ("..2", "a: new")] {
        fs::create_dir(dir.path().join(version)).unwrap();
        fs::write(dir.path().join(version).join("a.yaml"), text).unwrap();
    }
    symlink("..1", dir.path().join("..data")).unwrap();
    symlink("..data/a.yaml", dir.path().join("a.yaml")).unwrap();
    let mut watch = Watch::start(dir.path(), Some(Sources::read(dir.path()).version().clone()));
    symlink("..2", dir.path().join("..data_tmp")).unwrap();
    fs::rename(dir.path().join("..data_tmp"), dir.path().join("..data")).unwrap();
    assert_eq!(within(settled(&mut watch)).await, "a: new");
}
