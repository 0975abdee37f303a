#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use weir_attributes::Bag;

/// Every way to cut the value, by brute force.
fn readings(joined: &str) -> Vec<Vec<String>> {
    let pieces: Vec<&str> = joined.split(',').collect();
    (0..1_u32 << (pieces.len() - 1))
        .map(|mask| {
            let mut lines = vec![pieces[0].to_owned()];
            for (index, piece) in pieces[1..].iter().enumerate() {
                if mask >> index & 1 == 1 {
                    lines.push((*piece).to_owned());
                } else {
                    let last = lines.last_mut().unwrap();
                    last.push(',');
                    last.push_str(piece);
                }
            }
            lines.iter().map(|line| line.trim().to_owned()).collect()
        })
        .collect()
}

#[test]
fn a_joined_value_is_judged_as_the_set_of_its_readings() {
    let values = ["a", "a,b", "a, b,c", "a,,b", ",", "b,a,b,a", "a,a", "c, a ,c", "x,y,z,a,b"];
    let wanted = ["a", "b", "a,b", "a, b", "", "b,a", "a,,b", "z,a", "q"];
    for joined in values {
        let bag = Bag::builder().header("x", joined).joined_by_proxy().build();
        for want in wanted {
            let hits: Vec<bool> = readings(joined).iter().map(|lines| lines.iter().any(|line| line == want)).collect();
            let expected = match (hits.contains(&true), hits.contains(&false)) {
                (false, _) => Truth::No,
                (true, true) => Truth::Maybe,
                (true, false) => Truth::Yes,
            };
            assert_eq!(any_line(bag.headers(), "x", &|line| line == want), expected, "{joined:?} for {want:?}");
        }
    }
}

#[test]
fn without_a_comma_or_a_joining_proxy_there_is_no_doubt() {
    let told = Bag::builder().header("x", "a,b").build();
    assert_eq!(any_line(told.headers(), "x", &|line| line == "a"), Truth::No);
    let single = Bag::builder().header("x", "a").joined_by_proxy().build();
    assert_eq!(any_line(single.headers(), "x", &|line| line == "a"), Truth::Yes);
    assert_eq!(any_line(single.headers(), "y", &|_| true), Truth::No);
}

#[test]
fn too_many_pieces_stay_in_doubt() {
    let many = vec!["a"; PIECES_MAX + 1].join(",");
    let bag = Bag::builder().header("x", &many).joined_by_proxy().build();
    assert_eq!(any_line(bag.headers(), "x", &|_| true), Truth::Maybe);
    let most = vec!["a"; PIECES_MAX].join(",");
    let bag = Bag::builder().header("x", &most).joined_by_proxy().build();
    assert_eq!(any_line(bag.headers(), "x", &|line| line.starts_with('a')), Truth::Yes);
    assert_eq!(any_line(bag.headers(), "x", &|line| line == "b"), Truth::No);
}
