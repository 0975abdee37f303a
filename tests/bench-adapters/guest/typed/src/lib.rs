//! A check that declares three attributes of thirty.

use weir::{Failure, Verdict};

#[weir::check]
fn check(inputs: Inputs) -> Result<Verdict, Failure> {
    match inputs.request_method == "GET" && inputs.request_host.len() > 3 && inputs.request_size > 0 {
        true => Ok(Verdict::allow()),
        false => Ok(Verdict::deny("another request")),
    }
}
