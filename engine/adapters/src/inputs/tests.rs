#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use weir_attributes::{Bag, Slot, slot};

use super::*;

fn input(slot: Slot, key: Option<&str>) -> Input {
    let name = slot.attribute().name;
    crate::manifest::attribute(&key.map_or_else(|| name.to_owned(), |key| format!("{name}[{key}]"))).unwrap()
}

fn plan(inputs: &[Input]) -> Plan {
    Plan::reading(inputs.to_vec(), &[], None)
}

fn shown(input: &Input, bag: &Bag, mask: Option<&Mask>) -> String {
    match held(input, bag.as_told(), mask) {
        Some(Held::Text(text)) => text.into_owned(),
        Some(Held::Pairs(pairs)) => {
            pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
        }
        other => format!("{other:?}"),
    }
}

fn bag() -> Bag {
    Bag::builder()
        .text(slot::REQUEST_PATH, "/a?token=s3cret")
        .text(slot::REQUEST_URL_PATH, "/a")
        .text(slot::REQUEST_QUERY, "token=s3cret")
        .header("cookie", "s3cret")
        .header("x-a", "1")
        .header("x-a", "2")
        .build()
}

#[test]
fn a_map_joins_lines_a_list_map_keeps_them_and_a_key_picks_one_entry() {
    let bag = bag();
    assert_eq!(shown(&input(slot::REQUEST_HEADERS, None), &bag, None), "cookie=s3cret x-a=1,2");
    assert_eq!(shown(&input(slot::REQUEST_HEADERS_ALL, None), &bag, None), "cookie=s3cret x-a=1 x-a=2");
    assert_eq!(shown(&input(slot::REQUEST_HEADERS, Some("x-a")), &bag, None), "1,2");
    assert_eq!(shown(&input(slot::REQUEST_HEADERS, Some("x-b")), &bag, None), "None");
}

#[test]
fn a_mask_leaves_nothing_of_a_secret_and_all_of_the_rest() {
    let (bag, mask) = (bag(), Mask::new(&[1; 32]).unwrap());
    let secrets = [
        input(slot::REQUEST_PATH, None),
        input(slot::REQUEST_QUERY, None),
        input(slot::REQUEST_HEADERS, None),
        input(slot::REQUEST_HEADERS_ALL, None),
        input(slot::REQUEST_HEADERS, Some("cookie")),
    ];
    for input in &secrets {
        let masked = shown(input, &bag, Some(&mask));
        assert!(masked.contains("hmac:") && !masked.contains("s3cret"), "{input}: {masked}");
        assert_eq!(masked, shown(input, &bag, Some(&mask)), "equal values stay equal");
        assert_ne!(masked, shown(input, &bag, Mask::new(&[2; 32]).as_ref()), "the key matters");
    }
    assert_eq!(shown(&input(slot::REQUEST_URL_PATH, None), &bag, Some(&mask)), "/a");
    assert_eq!(shown(&input(slot::REQUEST_HEADERS, Some("x-a")), &bag, Some(&mask)), "1,2");
}

#[test]
fn a_required_input_that_is_absent_is_named() {
    let inputs = [Input { optional: false, ..input(slot::SOURCE_PRINCIPAL, None) }];
    let bag = bag();
    assert_eq!(gather(&inputs, bag.as_told()).unwrap_err(), Cause::Absent("source.principal".into()));
    assert_eq!(gather(&[input(slot::SOURCE_PRINCIPAL, None)], bag.as_told()).unwrap().len(), 1);
}

#[test]
fn only_doubt_that_the_inputs_can_tell_is_read_in_several_ways() {
    let doubtful = Bag::builder()
        .text(slot::REQUEST_URL_PATH, "/a")
        .path("/b", "/b")
        .header("x-a", "1, 2")
        .header("x-b", "3")
        .joined_by_proxy()
        .build();
    let count = |slots: &[Slot]| {
        let inputs: Vec<_> = slots.iter().map(|slot| input(*slot, None)).collect();
        Readings::of(&plan(&inputs), doubtful.as_told()).unwrap().count()
    };
    assert_eq!(count(&[slot::REQUEST_METHOD, slot::REQUEST_HEADERS]), 1);
    assert_eq!(count(&[slot::REQUEST_URL_PATH]), 2);
    assert_eq!(count(&[slot::REQUEST_HEADERS_ALL]), 2);
    assert_eq!(count(&[slot::REQUEST_HEADERS_ALL, slot::REQUEST_PATH]), 4);

    let inputs = [input(slot::REQUEST_URL_PATH, None), input(slot::REQUEST_HEADERS_ALL, None)];
    let readings = Readings::of(&plan(&inputs), doubtful.as_told()).unwrap();
    let seen: Vec<String> = (0..readings.count())
        .map(|index| {
            let world = readings.get(index);
            format!("{} {}", world.str(slot::REQUEST_URL_PATH).unwrap(), world.headers().lines("x-a").count())
        })
        .collect();
    assert_eq!(seen, ["/a 1", "/b 1", "/a 2", "/b 2"]);
}

#[test]
fn what_the_bag_shows_and_what_expressions_read_is_read_in_several_ways_too() {
    let doubtful = Bag::builder().path("/b", "/b").header("x-a", "1, 2").joined_by_proxy().build();
    let cel = |source: &str| weir_cel::Env::vocabulary().compile(source).unwrap();
    let bound = |source| {
        let source = Source::expression(cel(source));
        vec![Input { source, ..input(slot::REQUEST_METHOD, None) }]
    };
    let (all, path) = (slot::REQUEST_HEADERS_ALL, slot::REQUEST_PATH);
    let cases = [
        ("the bag shows the path", (vec![], vec![input(path, None)], None), 2),
        ("the bag shows the lines", (vec![], vec![input(all, None)], None), 2),
        ("the bag shows a header, joined", (vec![], vec![input(all, Some("x-a"))], None), 1),
        ("an input is a header, joined", (vec![input(all, Some("x-a"))], vec![], None), 1),
        ("match reads a header's lines", (vec![], vec![], Some(cel(r#"size(request.headers_all["x-a"]) > 1"#))), 2),
        ("a binding reads a header's lines", (bound(r#"request.headers_all["x-a"][0]"#), vec![], None), 2),
        ("match reads a header, joined", (vec![], vec![], Some(cel(r#"request.headers["x-a"] == "1, 2""#))), 1),
        ("nothing is read", (vec![], vec![], None), 1),
    ];
    for (what, (inputs, attributes, condition), count) in cases {
        let plan = Plan::reading(inputs, &attributes, condition);
        assert_eq!(Readings::of(&plan, doubtful.as_told()).unwrap().count(), count, "{what}");
    }
}

#[test]
fn too_much_doubt_is_an_error() {
    let mut bag = Bag::builder().text(slot::REQUEST_URL_PATH, "/").build();
    (0..READINGS_MAX).for_each(|n| bag.add_path("/x", &format!("/{n}")));
    let inputs = [input(slot::REQUEST_URL_PATH, None)];
    assert!(matches!(Readings::of(&plan(&inputs), bag.as_told()), Err(Cause::Doubt(_))));
    let commas = Bag::builder().header("x-a", &",".repeat(33)).joined_by_proxy().build();
    let inputs = [input(slot::REQUEST_HEADERS_ALL, None)];
    assert!(matches!(Readings::of(&plan(&inputs), commas.as_told()), Err(Cause::Doubt(_))));
}
