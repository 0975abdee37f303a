//! The checker and the planner, and all that a program tells without being run.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_cel::{Env, Index, Type};
use weir_cel_fuzz::{are_in_place, env, on_a_small_stack};

fuzz_target!(|source: &str| on_a_small_stack(|| {
    for env in [env(), Env::vocabulary_all()] {
        match env.compile(source) {
            Ok(program) => {
                for unguarded in program.unguarded() {
                    assert!(source.get(unguarded.span.clone()).is_some(), "{unguarded:?}");
                }
                assert!(program.references().is_sorted());
                let index = Index::new(&[program.alternatives()]);
                assert!(index.unindexed() <= 1);
                let ty = program.result_type().to_string();
                assert!(program.result_type() == &Type::Dyn || !ty.is_empty());
                let again = env.compile(source).expect("it compiled before");
                assert_eq!(again.result_type(), program.result_type());
                if let Ok(wider) = env.with_lazy("lazy", &program) {
                    let _ = wider.compile("lazy == lazy").map_err(|errors| are_in_place(&errors, "lazy == lazy"));
                }
            }
            Err(errors) => are_in_place(&errors, source),
        }
    }
}));
