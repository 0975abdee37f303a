//! A report of three columns.

use weir::{Failure, Rows};

#[weir::report]
fn report(rows: Rows<'_, Inputs<'_>>) -> Result<(), Failure> {
    let mut sum = 0;
    for row in rows {
        sum += row.request_method.len() as u64 + row.response_code as u64 + row.response_size as u64;
    }
    // The sum must not be left out.
    match std::hint::black_box(sum) {
        0 => Err("no rows".into()),
        _ => Ok(()),
    }
}
