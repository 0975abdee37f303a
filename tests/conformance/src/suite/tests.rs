use super::{Case, Malformed, Suite, Task, Verdict, run};
use std::path::{Path, PathBuf};

struct Panics;

impl Suite for Panics {
    fn name(&self) -> &'static str {
        "panics"
    }

    fn cases(&self, _: &Path) -> Result<Vec<Case>, Malformed> {
        let ask = |name: &str, ask: fn() -> Verdict| Case { name: name.to_owned(), task: Task::Ask(Box::new(ask)) };
        Ok(vec![
            ask("first", || panic!("on\ntwo lines")),
            ask("second", || Verdict::Passed),
            Case { name: "third".to_owned(), task: Task::Skip("need a moon") },
        ])
    }
}

#[test]
fn a_case_that_panics_is_one_failure_and_not_the_end() {
    let report = run(&Panics, &[PathBuf::new()]).unwrap();
    assert_eq!(report.to_string(), "first: panicked: on\\ntwo lines\nskipped: 1 need a moon\n1 passed, 1 failed\n");
}
