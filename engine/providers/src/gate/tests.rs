use std::time::Duration;

use super::*;

fn soon() -> Instant {
    Instant::now() + Duration::from_millis(20)
}

#[tokio::test]
async fn one_too_many_waits_and_one_more_is_turned_away() {
    let gate = Gate::new(1, 1);
    let inside = gate.enter(soon()).await.unwrap();
    let (first, second) = tokio::join!(gate.enter(soon()), gate.enter(soon()));
    assert_eq!(first.err(), Some(Failure::Late));
    assert_eq!(second.err(), Some(Failure::Busy));
    let (waited, ()) = tokio::join!(gate.enter(soon()), async { drop(inside) });
    assert!(waited.is_ok(), "whoever waited goes in");
    assert_eq!(gate.waiting.load(Relaxed), 0);
}

#[tokio::test]
async fn who_gives_up_waiting_makes_room() {
    let gate = Gate::new(1, 1);
    let _inside = gate.enter(soon()).await.unwrap();
    drop(tokio::time::timeout(Duration::from_millis(1), gate.enter(soon())).await);
    assert_eq!(gate.enter(soon()).await.err(), Some(Failure::Late), "not Busy");
}
