//! 200 damaged inputs of each family through its real door of a running engine: it serves on, and each error says where.

mod bounds;
mod documents;
mod frames;
mod http;
mod large_documents;
mod large_requests;

use weir_tests::house::House;
use weir_tests::random::Random;

/// How many inputs of a family `make test` sends; `WEIR_LONG` is a factor for `make test-full`.
const INPUTS: usize = 200;

/// The seed of every family; printed by a failing story through the number of its input.
const SEED: u64 = 0x5745_4952;

fn generator(family: u64) -> Random {
    Random::new(SEED ^ (family << 32))
}

/// 200, or more when `make test-full` asks for it.
fn inputs() -> usize {
    let factor = std::env::var("WEIR_LONG").ok().and_then(|factor| factor.parse().ok()).unwrap_or(1);
    INPUTS * factor
}

/// The house still decides, and nothing in it ever panicked.
async fn serves_on(house: &mut House) {
    let caller = house.plain_caller().unwrap();
    assert_eq!(caller.get("/open").await.unwrap().status, 200);
    assert_eq!(caller.get("/closed").await.unwrap().status, 403);
    assert!(house.engine.program.runs() && house.engine.is_ready().await.unwrap());
    assert!(house.sidecar.as_mut().unwrap().program.runs());
    assert_eq!(house.engine.metric("weir_panics_total", &[]).await.unwrap(), 0.0);
    let said = house.engine.program.said() + &house.sidecar.as_ref().unwrap().program.said();
    assert!(!said.contains("panicked"), "{said}");
}
