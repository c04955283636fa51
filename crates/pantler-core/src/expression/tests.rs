use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Expression {
    Expression::parse(text).unwrap()
}

/// visit=101 filter=HSC-R mjd=59000.5, and no tract.
fn evaluate(text: &str) -> Option<bool> {
    let values = DataId::new([
        ("visit", KeyValue::Int(101)),
        ("filter", KeyValue::Str("HSC-R".into())),
        ("mjd", KeyValue::Float(59_000.5)),
        ("note", KeyValue::Str("don't".into())),
    ]);
    parse(text)
        .evaluate(&|name| values.get(name).cloned())
        .unwrap()
}

#[test]
fn conditions_hold_as_in_sql() {
    let cases: &[(&str, Option<bool>)] = &[
        ("visit = 101", Some(true)),
        ("visit == 101", Some(true)),
        ("visit != 101", Some(false)),
        ("visit <> 100", Some(true)),
        ("101 = visit", Some(true)),
        ("visit > 100 and visit <= 101", Some(true)),
        ("visit < 101", Some(false)),
        ("visit >= 102 or filter = 'HSC-R'", Some(true)),
        ("visit = 101.0", Some(true)),
        ("visit < 101.5", Some(true)),
        ("mjd > 59000", Some(true)),
        ("mjd between 59000 and 59001", Some(true)),
        ("mjd not between 59000 and 59001", Some(false)),
        ("visit in (1, 101)", Some(true)),
        ("visit not in (1, 101)", Some(false)),
        ("filter in ('g', 'r')", Some(false)),
        ("filter like 'HSC-%'", Some(true)),
        ("filter like 'hsc-%'", Some(false)),
        ("filter like '_SC-_'", Some(true)),
        ("filter not like '%R'", Some(false)),
        ("note = 'don''t'", Some(true)),
        ("filter is null", Some(false)),
        ("tract is null", Some(true)),
        ("tract is not null", Some(false)),
        ("not visit = 1 and not (visit = 2 or visit = 3)", Some(true)),
        ("VISIT IS NULL AND visit = 101", Some(true)),
    ];
    for (text, expected) in cases {
        assert_eq!(evaluate(text), *expected, "{text}");
    }
}

#[test]
fn what_is_unknown_stays_unknown_unless_the_rest_decides() {
    let cases: &[(&str, Option<bool>)] = &[
        ("tract = 1", None),
        ("not tract = 1", None),
        ("tract = 1 and visit = 101", None),
        ("tract = 1 and visit = 1", Some(false)),
        ("tract = 1 or visit = 101", Some(true)),
        ("tract = 1 or visit = 1", None),
        ("tract in (1, 2)", None),
        ("tract not in (1, 2)", None),
        ("tract between 1 and 2", None),
        ("visit between tract and 100", Some(false)),
        ("visit between tract and 102", None),
        ("tract like 'a'", None),
    ];
    for (text, expected) in cases {
        assert_eq!(evaluate(text), *expected, "{text}");
    }
}

#[test]
fn or_binds_least_and_not_most() {
    assert_eq!(
        parse("a = 1 or b = 2 and not c = 3").to_string(),
        "(a = 1) or ((b = 2) and (not (c = 3)))"
    );
}

#[test]
fn a_number_and_a_text_are_not_compared_and_both_are_named() {
    let error = |text: &str| {
        parse(text)
            .evaluate(&|name| match name {
                "visit" => Some(KeyValue::Int(101)),
                "filter" => Some(KeyValue::Str("r".into())),
                _ => None,
            })
            .unwrap_err()
            .to_string()
    };
    insta::assert_snapshot!(error("visit = '101'"), @"a number and a text cannot be compared: visit (101) and '101'");
    insta::assert_snapshot!(error("filter > 1.5"), @"a number and a text cannot be compared: filter ('r') and 1.5");
    insta::assert_snapshot!(error("visit like '1%'"), @"a number and a text cannot be compared: visit (101) and '1%'");
    insta::assert_snapshot!(error("visit in (1, 'r')"), @"a number and a text cannot be compared: visit (101) and 'r'");
    // The other half would decide, and the mistake shows all the same.
    insta::assert_snapshot!(error("visit = 1 and filter = 1"), @"a number and a text cannot be compared: filter ('r') and 1");
}

#[test]
fn regions_are_parsed_and_refused_plainly() {
    assert_eq!(
        parse("overlaps(circle(150.1, -2, 0.5))"),
        Expression::Overlaps(Region::Circle {
            ra: 150.1,
            dec: -2.0,
            radius: 0.5
        })
    );
    assert_eq!(
        parse("overlaps(polygon(0, 0, 1, 0, 1, 1))"),
        Expression::Overlaps(Region::Polygon(vec![(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)]))
    );
    assert_eq!(
        parse("overlaps(tract('hsc', 9813))"),
        Expression::Overlaps(Region::Tract(vec!["hsc".into(), 9813.into()]))
    );
    let error = parse("visit = 1 and overlaps(circle(1, 2, 3))").evaluate(&|_| None);
    insta::assert_snapshot!(error.unwrap_err(), @"this version of pantler cannot evaluate overlaps(circle(1, 2, 3))");
}

#[test]
fn large_integers_are_not_rounded_to_compare_them() {
    let big = (1_i64 << 53) + 1;
    let holds = |text: &str, value: i64| {
        parse(text)
            .evaluate(&|_| Some(KeyValue::Int(value)))
            .unwrap()
    };
    assert_eq!(holds("id = 9007199254740992.0", big), Some(false));
    assert_eq!(holds("id > 9007199254740992.0", big), Some(true));
    assert_eq!(holds("id < 9.3e18", i64::MAX), Some(true));
    assert_eq!(holds("id > -9.3e18", i64::MIN), Some(true));
    assert_eq!(holds("id > -1.5", -1), Some(true));
    assert_eq!(holds("id < -1.5", -2), Some(true));
}

#[test]
fn names_come_with_their_places() {
    let expression =
        parse("visit > 1 and (ccd = tract or not filter like 'é%') and bytes between 1 and cap");
    let names: Vec<(&str, usize)> = expression
        .identifiers()
        .iter()
        .map(|one| (one.name.as_str(), one.column))
        .collect();
    assert_eq!(
        names,
        [
            ("visit", 0),
            ("ccd", 15),
            ("tract", 21),
            ("filter", 34),
            ("bytes", 56),
            ("cap", 76)
        ]
    );
}

#[test]
fn equalities_are_what_every_answer_has() {
    let pairs = |text: &str| parse(text).equalities().to_string();
    assert_eq!(
        pairs("visit = 1 and filter = 'r' and ccd > 2"),
        "visit=1 filter=r"
    );
    assert_eq!(
        pairs("1 = visit and (ccd = 2 and tract = 3)"),
        "visit=1 ccd=2 tract=3"
    );
    assert_eq!(pairs("visit in (7)"), "visit=7");
    assert_eq!(pairs("visit = 1 and visit = 2"), "visit=1");
    for none in [
        "visit = 1 or ccd = 2",
        "not visit = 1",
        "visit = ccd",
        "visit in (1, 2)",
        "stage = 'sfm'",
    ] {
        assert_eq!(pairs(none), "", "{none}");
    }
}

/// One line each: what is wrong, the place, the hint.
fn complaint(text: &str) -> String {
    let error = Expression::parse(text).unwrap_err();
    let [shown, caret] = error.in_place();
    let hint = error
        .hint
        .as_ref()
        .map_or(String::new(), |hint| format!("\nhint: {hint}"));
    format!("{error}\n{shown}\n{caret}{hint}")
}

#[test]
fn messages_show_the_place_and_what_to_do() {
    let texts = [
        "",
        "visit >",
        "visit 1",
        "visit > 100 adn ccd = 2",
        "filter betwen 1 and 2",
        "filter = \"r\"",
        "filter in (g, r)",
        "filter in ()",
        "tract = null",
        "tract != NULL",
        "(visit = 1",
        "visit = 1)",
        "visit = 'r",
        "visit = 1e",
        "visit = 99999999999999999999",
        "visit & 1",
        "overlaps(circel(1, 2, 3))",
        "overlaps(circle(1, 2))",
        "overlaps(circle(1, 92, 3))",
        "overlaps(polygon(1, 2, 3, 4))",
        "visit not 3",
        "and",
    ];
    let all: Vec<String> = texts.iter().map(|text| complaint(text)).collect();
    insta::assert_snapshot!(all.join("\n\n"), @r#"
    a key or a value is wanted here, and there is the end

    ^

    a value is wanted here, and there is the end
    visit >
           ^

    a comparison such as `=`, `<` or `in` is wanted here, and there is `1`
    visit 1
          ^

    `adn` is not expected here: `and` or `or` is missing before it
    visit > 100 adn ccd = 2
                ^^^
    hint: did you mean `and`?

    a comparison such as `=`, `<` or `in` is wanted here, and there is `betwen`
    filter betwen 1 and 2
           ^^^^^^
    hint: did you mean `between`?

    `"` means nothing in an expression
    filter = "r"
             ^
    hint: texts stand in single quotes: 'HSC-R'

    a value is wanted here, and there is `g`
    filter in (g, r)
               ^
    hint: if it is a text, put it in quotes: 'g'

    a value is wanted here, and there is `)`
    filter in ()
               ^

    nothing is equal to `null`
    tract = null
            ^^^^
    hint: write `is null`

    nothing is equal to `null`
    tract != NULL
             ^^^^
    hint: write `is not null`

    `)` is wanted here, and there is the end
    (visit = 1
              ^

    `)` is not expected here: this parenthesis was never opened
    visit = 1)
             ^

    the text is not closed
    visit = 'r
            ^^
    hint: a quote inside a text is written twice: 'don''t'

    `1e` is no number
    visit = 1e
            ^^
    hint: if it is a text, put it in quotes: '1e'

    `99999999999999999999` is beyond the integers that a key can have
    visit = 99999999999999999999
            ^^^^^^^^^^^^^^^^^^^^

    `&` means nothing in an expression
    visit & 1
          ^
    hint: write `and`

    `circel` is no region
    overlaps(circel(1, 2, 3))
             ^^^^^^
    hint: did you mean `circle`?

    a circle has a right ascension, a declination and a radius
    overlaps(circle(1, 2))
             ^^^^^^

    a declination is between -90 and 90, and not 92
    overlaps(circle(1, 92, 3))
             ^^^^^^

    a polygon has three corners or more, each a right ascension and a declination
    overlaps(polygon(1, 2, 3, 4))
             ^^^^^^^

    `in`, `between` or `like` is wanted here, and there is `3`
    visit not 3
              ^

    a key or a value is wanted here, and there is `and`
    and
    ^^^
    "#);
}

#[test]
fn deep_and_long_expressions_are_refused() {
    for text in [
        "(".repeat(100_000),
        "not ".repeat(10_000) + "a = 1",
        format!("{}a = 1{}", "(".repeat(70), ")".repeat(70)),
        "a".repeat(100_000),
    ] {
        assert!(Expression::parse(&text).is_err());
    }
    let nested = format!("{}a = 1{}", "(".repeat(60), ")".repeat(60));
    assert!(Expression::parse(&nested).is_ok());
}

#[test]
fn like_takes_bounded_time() {
    let text = "a".repeat(5_000);
    let pattern = "%a".repeat(50) + "b";
    assert!(!evaluating::is_like(&text, &pattern));
    assert!(evaluating::is_like(&text, "%a_%"));
    assert!(evaluating::is_like("", "%%"));
    assert!(!evaluating::is_like("", "_"));
}

fn literal() -> impl Strategy<Value = KeyValue> {
    prop_oneof![
        any::<i64>().prop_map(KeyValue::Int),
        (-1e300..1e300_f64).prop_map(KeyValue::Float),
        "[ a-zé'%_=()]{0,6}".prop_map(KeyValue::Str),
    ]
}

fn operand() -> impl Strategy<Value = Operand> {
    prop_oneof![
        literal().prop_map(Operand::Literal),
        "[a-e]".prop_map(|name| Operand::Identifier(Identifier { name, column: 0 })),
    ]
}

fn expression() -> impl Strategy<Value = Expression> {
    let comparison = proptest::sample::select(vec![
        Comparison::Equal,
        Comparison::NotEqual,
        Comparison::Less,
        Comparison::LessOrEqual,
        Comparison::Greater,
        Comparison::GreaterOrEqual,
    ]);
    let leaf =
        prop_oneof![
            (operand(), comparison, operand()).prop_map(|(left, comparison, right)| {
                Expression::Compare {
                    left,
                    comparison,
                    right,
                }
            }),
            (operand(), prop::collection::vec(literal(), 1..4))
                .prop_map(|(operand, values)| Expression::In { operand, values }),
            (operand(), operand(), operand())
                .prop_map(|(operand, low, high)| Expression::Between { operand, low, high }),
            operand().prop_map(Expression::IsNull),
            (operand(), "[a'%_]{0,4}")
                .prop_map(|(operand, pattern)| Expression::Like { operand, pattern }),
        ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Expression::And),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Expression::Or),
            inner.prop_map(|one| Expression::Not(Box::new(one))),
        ]
    })
}

proptest! {
    /// What is printed parses to the same, and so means the same.
    #[test]
    fn printing_and_parsing_are_inverse(expression in expression()) {
        let printed = expression.to_string();
        let parsed = Expression::parse(&printed).unwrap();
        prop_assert_eq!(parsed.to_string(), printed);
        let lookup = |name: &str| match name {
            "a" => Some(KeyValue::Int(3)),
            "b" => Some(KeyValue::Float(0.5)),
            "c" => Some(KeyValue::Str("a".into())),
            _ => None,
        };
        prop_assert_eq!(parsed.evaluate(&lookup), expression.evaluate(&lookup));
    }

    /// Whatever an index finds by the equalities includes all that the whole expression selects.
    #[test]
    fn equalities_lose_nothing(expression in expression(), value in -3..3_i64) {
        let lookup = |name: &str| (name != "e").then_some(KeyValue::Int(value));
        if expression.evaluate(&lookup) == Ok(Some(true)) {
            for (key, wanted) in expression.equalities().iter() {
                let found = lookup(key).unwrap();
                prop_assert_eq!(found.cast(wanted.key_type()), Some(wanted.clone()));
            }
        }
    }

    /// No text makes the parser fall over, and every error has a place in the text.
    #[test]
    fn any_text_is_parsed_or_refused(text in "([a-c0-9 .()=<>!',%é-]| and | or | in | not | is null | like | between ){0,16}") {
        match Expression::parse(&text) {
            Ok(expression) => {
                let _ = expression.evaluate(&|_| Some(KeyValue::Int(1)));
            }
            Err(error) => {
                prop_assert!(error.length >= 1);
                prop_assert!(error.column <= text.chars().count());
            }
        }
    }
}
