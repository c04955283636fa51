use proptest::prelude::*;

use super::*;

fn template(text: &str) -> Template {
    Template::parse(text).unwrap()
}

fn id(text: &str) -> DataId {
    DataId::parse(text).unwrap()
}

fn path(text: &str, data_id: &DataId) -> String {
    let filled = template(text).fill(data_id).unwrap();
    filled.path.as_str().to_owned()
}

#[test]
fn conversions_print_as_pythons_do() {
    // Each line was checked with Python's `%`.
    let cases: &[(&str, KeyValue, &str)] = &[
        ("%(k)d", KeyValue::Int(42), "42"),
        ("%(k)07d", KeyValue::Int(42), "0000042"),
        ("%(k)07d", KeyValue::Int(-42), "-000042"),
        ("%(k)5d", KeyValue::Int(42), "   42"),
        ("%(k)-5d", KeyValue::Int(42), "42   "),
        ("%(k)+d", KeyValue::Int(42), "+42"),
        ("%(k) d", KeyValue::Int(42), " 42"),
        ("%(k).5d", KeyValue::Int(42), "00042"),
        ("%(k)ld", KeyValue::Int(42), "42"),
        ("%(k)#o", KeyValue::Int(42), "0o52"),
        ("%(k)x", KeyValue::Int(255), "ff"),
        ("%(k)#06X", KeyValue::Int(255), "0X00FF"),
        ("%(k)f", KeyValue::Float(1.5), "1.500000"),
        ("%(k).0f", KeyValue::Float(2.0), "2"),
        ("%(k)#.0f", KeyValue::Float(2.0), "2."),
        ("%(k)08.2f", KeyValue::Float(-1.25), "-0001.25"),
        ("%(k)e", KeyValue::Float(12345.0), "1.234500e+04"),
        ("%(k).1E", KeyValue::Float(0.00025), "2.5E-04"),
        ("%(k)g", KeyValue::Float(0.0001), "0.0001"),
        ("%(k)g", KeyValue::Float(0.00001), "1e-05"),
        ("%(k)g", KeyValue::Float(1_000_000.0), "1e+06"),
        ("%(k)g", KeyValue::Float(123456.0), "123456"),
        ("%(k)#g", KeyValue::Float(1.0), "1.00000"),
        ("%(k)s", KeyValue::Str("r".into()), "r"),
        ("%(k)5s", KeyValue::Str("r".into()), "    r"),
        ("%(k)-3s", KeyValue::Str("r".into()), "r  "),
        ("%(k)r", KeyValue::Str("r".into()), "'r'"),
        ("%(k)c", KeyValue::Str("r".into()), "r"),
    ];
    for (text, value, printed) in cases {
        let data_id = DataId::new([("k", value.clone())]);
        assert_eq!(path(text, &data_id), *printed, "{text}");
        assert_eq!(template(text).read(printed), Some(data_id), "{text}");
    }
}

#[test]
fn keys_come_in_order_of_appearance_with_their_types() {
    let template = template("%(filter)s/%(visit)d-%(seeing).2f-%(filter)s.fits[%(hdu)d]");
    let expected = [
        ("filter".to_owned(), KeyType::Str),
        ("visit".to_owned(), KeyType::Int),
        ("seeing".to_owned(), KeyType::Float),
        ("hdu".to_owned(), KeyType::Int),
    ];
    assert_eq!(template.keys(), expected);
    assert_eq!(template.path_keys(), &expected[..3]);
}

#[test]
fn an_hdu_is_picked_and_is_no_part_of_the_path() {
    let constant = template("raw/%(visit)d.fits[2]");
    let filled = constant.fill(&id("visit=1")).unwrap();
    assert_eq!((filled.path.as_str(), filled.hdu), ("raw/1.fits", Some(2)));
    let variable = template("raw/%(visit)d.fits[%(hdu)d]");
    assert!(variable.has_hdu());
    assert_eq!(variable.fill(&id("visit=1 hdu=3")).unwrap().hdu, Some(3));
    assert_eq!(variable.read("raw/1.fits"), Some(id("visit=1")));
    assert!(matches!(
        variable.fill(&id("visit=1")),
        Err(FillError::MissingKeys { keys, .. }) if keys == ["hdu"]
    ));
    assert!(matches!(
        variable.fill(&id("visit=1 hdu=-1")),
        Err(FillError::Refused { key, .. }) if key == "hdu"
    ));
    assert!(constant.has_same_path(&template("raw/%(visit)d.fits[1]")));
}

#[test]
fn a_percent_sign_of_its_own_is_written_twice() {
    assert_eq!(path("a%%b/%(visit)d", &id("visit=1")), "a%b/1");
}

#[test]
fn errors_of_a_template_point_at_the_place() {
    let cases: &[(&str, usize, usize, &str)] = &[
        ("", 0, 1, "it is empty"),
        (
            "a/%d.fits",
            2,
            2,
            "a `%` is followed by a key, as in `%(visit)d`; a percent sign of its own is `%%`",
        ),
        ("a/%(visit.fits", 2, 12, "the parenthesis is not closed"),
        ("a/%(vi sit)d", 4, 6, "`vi sit` cannot be a key"),
        ("a/%()d", 4, 1, "`` cannot be a key"),
        (
            "a/%(visit)",
            2,
            8,
            "the conversion has no letter, as the `d` in `%(visit)d`",
        ),
        (
            "a/%(visit)07y",
            2,
            11,
            "`y` is no conversion; `d` is for integers, `s` for text, `f` for numbers",
        ),
        ("é/%(visit)999d", 10, 3, "a width is at most 64"),
        ("a/%(visit).99d", 11, 2, "a precision is at most 64"),
        ("a/%(visit)*d", 10, 1, "a width of `*` has no value here"),
        ("a/%(x)d-%(x)f", 8, 5, "the key `x` is int and float here"),
        ("../a", 0, 2, "it climbs out of the repository"),
        ("a/../%(visit)d", 2, 2, "it climbs out of the repository"),
        ("/a/%(visit)d", 0, 12, "it is absolute"),
        ("a//b", 0, 4, "it has an empty or `.` folder"),
        (
            "a.fits[%(hdu)s]",
            6,
            9,
            "the brackets at the end pick an HDU, by a number or one integer conversion",
        ),
        (
            "a.fits[99999999999]",
            6,
            13,
            "the number of the HDU is out of range",
        ),
    ];
    for (text, column, length, why) in cases {
        let error = Template::parse(text).unwrap_err();
        assert_eq!(
            (error.column, error.length, error.why.as_str()),
            (*column, *length, *why),
            "{text}"
        );
    }
}

#[test]
fn too_long_and_too_many_are_refused() {
    assert!(Template::parse(&"a".repeat(5000)).is_err());
    assert!(Template::parse(&"%(a)s/".repeat(65)).is_err());
}

#[test]
fn missing_keys_are_all_named() {
    let error = template("%(visit)d/%(ccd)d/%(tract)d")
        .fill(&id("ccd=1"))
        .unwrap_err();
    insta::assert_snapshot!(error, @"the template `%(visit)d/%(ccd)d/%(tract)d` needs the keys `visit`, `tract`");
}

#[test]
fn a_value_of_the_wrong_type_is_named() {
    let error = template("%(visit)d").fill(&id("visit=r")).unwrap_err();
    insta::assert_snapshot!(error, @"the key `visit` is of type int, and r is not");
    // What is lost in no cast is no wrong type: a number for `%s`, digits for `%d`.
    assert_eq!(path("%(patch)s", &id("patch=12")), "12");
    let digits = DataId::new([("visit", "12".into())]);
    assert_eq!(path("%(visit)d", &digits), "12");
}

#[test]
fn hostile_values_are_refused() {
    let hostile = [
        "..",
        ".",
        "",
        "../../etc/passwd",
        "/etc/passwd",
        "a/b",
        "a\\b",
        "a\0b",
        "a\nb",
        ".pantler",
        ".hidden",
    ];
    for value in hostile {
        let data_id = DataId::new([("name", value.into())]);
        for text in ["%(name)s", "%(name)s/x.fits", "a/%(name)s", "a/%(name)s/b"] {
            assert!(template(text).fill(&data_id).is_err(), "{text} {value:?}");
        }
    }
    // Inside a file's name a dot is harmless.
    assert_eq!(
        path("a-%(name)s", &DataId::new([("name", ".x".into())])),
        "a-.x"
    );
    // And what two values make together is looked at as a whole.
    let dots = DataId::new([("a", "x".into()), ("b", "y".into())]);
    assert!(template("%(a)s%(b)s").fill(&dots).is_ok());
}

#[test]
fn a_path_that_means_two_data_ids_is_refused() {
    let data_id = DataId::new([("a", "x_y".into()), ("b", "z".into())]);
    let error = template("%(a)s_%(b)s.fits").fill(&data_id).unwrap_err();
    insta::assert_snapshot!(error, @r#"a=x_y b=z gives the path "x_y_z.fits", which can be read as a=x b=y_z"#);
    assert_eq!(template("%(a)s_%(b)s.fits").read("x_y_z.fits"), None);
    assert!(template("%(a)d%(b)d").fill(&id("a=12 b=3")).is_err());
    assert!(template("%(a)02d%(b)02d").fill(&id("a=12 b=34")).is_ok());
    assert!(template("%(a)02d%(b)02d").fill(&id("a=123 b=45")).is_err());
}

#[test]
fn what_a_template_cuts_off_is_refused() {
    let long = DataId::new([("filter", "HSC-R".into())]);
    assert!(template("%(filter).3s").fill(&long).is_err());
    let fine = DataId::new([("mjd", KeyValue::Float(51_195.203_552))]);
    assert!(template("%(mjd).2f").fill(&fine).is_err());
    assert!(template("%(mjd).6f").fill(&fine).is_ok());
}

#[test]
fn reading_does_not_mind_padding_and_prefers_what_would_be_printed() {
    let calexp = template("calexp/%(visit)07d/%(ccd)03d.fits");
    assert_eq!(
        calexp.read("calexp/903334/16.fits"),
        Some(id("visit=903334 ccd=16"))
    );
    assert_eq!(
        calexp.read("calexp/000000903334/0016.fits"),
        Some(id("visit=903334 ccd=16"))
    );
    let packed = template("%(run)06d%(camcol)d.fits");
    assert_eq!(packed.read("0057774.fits"), Some(id("run=5777 camcol=4")));
    assert_eq!(calexp.read("calexp/x/16.fits"), None);
    assert_eq!(calexp.read("calexp/903334/16.fits.gz"), None);
    assert_eq!(calexp.read("other/calexp/903334/16.fits"), None);
    assert_eq!(calexp.read("calexp/99999999999999999999/16.fits"), None);
}

#[test]
fn a_repeated_key_must_agree() {
    let coadd = template("deep/%(filter)s/%(tract)d/calexp-%(filter)s-%(tract)04d.fits");
    assert_eq!(
        coadd.read("deep/HSC-R/12/calexp-HSC-R-0012.fits"),
        Some(id("filter=HSC-R tract=12"))
    );
    assert_eq!(coadd.read("deep/HSC-R/12/calexp-HSC-R-0013.fits"), None);
    assert_eq!(coadd.read("deep/HSC-R/12/calexp-HSC-I-0012.fits"), None);
}

#[test]
fn a_suffix_is_read_at_a_folder_boundary() {
    let wcs = template("jointcal_wcs-%(visit)07d-%(ccd)03d.fits");
    let expected = Some(id("visit=1 ccd=2"));
    assert_eq!(
        wcs.read_suffix("/data/in/jointcal_wcs-0000001-002.fits"),
        expected
    );
    assert_eq!(wcs.read_suffix("jointcal_wcs-0000001-002.fits"), expected);
    assert_eq!(wcs.read_suffix("my_jointcal_wcs-0000001-002.fits"), None);
    let nested = template("%(visit)d/%(ccd)d.fits");
    assert_eq!(nested.read_suffix("/a/b/1/2.fits"), expected);
    assert_eq!(nested.read_suffix("2.fits"), None);
}

#[test]
fn a_hidden_folder_is_never_read_as_a_value() {
    assert_eq!(template("%(a)s/%(b)s").read(".pantler/registry"), None);
}

#[test]
fn a_declared_type_counts_for_percent_s() {
    let typed = template("%(visit)s").with_key_types(&|_| Some(KeyType::Int));
    assert_eq!(typed.keys(), [("visit".to_owned(), KeyType::Int)]);
    assert_eq!(typed.fill(&id("visit=12")).unwrap().path.as_str(), "12");
    assert_eq!(typed.read("12"), Some(id("visit=12")));
    assert_eq!(typed.read("r"), None);
}

#[test]
fn a_template_of_many_texts_is_read_in_bounded_time() {
    let keys: Vec<String> = (0..40).map(|n| format!("%(k{n})s")).collect();
    let hostile = template(&(keys.concat() + "!"));
    // Both answers are right; what counts is that there is one.
    assert!(matches!(
        hostile.readings(&("a".repeat(200) + "!")),
        Reading::Several(..)
    ));
    let repeated = template(&("%(k)s%(l)s".repeat(20) + "!"));
    assert!(!matches!(
        repeated.readings(&("a".repeat(200) + "b!")),
        Reading::One(_)
    ));
}

#[test]
fn r8_templates_that_can_meet_are_recognised() {
    let meet = |a: &str, b: &str| {
        let answer = template(a).can_meet(&template(b));
        assert_eq!(answer, template(b).can_meet(&template(a)), "{a} {b}");
        answer
    };
    assert!(meet("calexp/%(visit)d.fits", "calexp/%(visit)d.fits"));
    assert!(meet("calexp/%(visit)07d.fits", "calexp/%(ccd)d.fits"));
    assert!(meet("sci/%(filter)s/src.fits", "sci/b/src.fits"));
    assert!(meet("%(a)s-%(b)s.fits", "%(name)s.fits"));
    assert!(meet("a/%(x)x.fits", "a/%(y)d.fits"));
    assert!(meet("raw/%(visit)d.fits[1]", "raw/%(visit)d.fits[2]"));
    assert!(!meet("calexp/%(visit)d.fits", "src/%(visit)d.fits"));
    assert!(!meet("calexp/%(visit)d.fits", "calexp/%(visit)d.fits.gz"));
    assert!(!meet("a/%(filter)s", "a/%(filter)s/%(visit)d"));
    assert!(!meet("a/%(visit)d.fits", "a/b%(filter)s.fits"));
    assert!(!meet("a/%(visit)07d.fits", "a/123.fits"));
}

#[test]
fn the_folder_to_scan_is_the_constant_start() {
    let folder = |text: &str| template(text).wildcard_folder();
    assert_eq!(
        folder("sci/calexp/%(visit)d/x.fits").as_deref(),
        Some("sci/calexp")
    );
    assert_eq!(folder("calexp/v%(visit)d.fits").as_deref(), Some("calexp"));
    assert_eq!(folder("config/packages.pickle").as_deref(), Some("config"));
    assert_eq!(folder("%(visit)d/x.fits"), None);
    assert_eq!(folder("calexp-%(visit)d.fits"), None);
}

/// A conversion as it may stand in a template, and a value for its key.
fn conversion_and_value() -> impl Strategy<Value = (String, KeyValue)> {
    let flags = proptest::sample::select(vec!["", "0", "-", "+", " ", "#"]);
    let int = (flags.clone(), 0..9_usize, "[diuoxX]", any::<i64>()).prop_map(
        |(flags, width, kind, value)| (format!("{flags}{width}{kind}"), KeyValue::Int(value)),
    );
    let small = (flags.clone(), 0..9_usize, -999..9999_i64)
        .prop_map(|(flags, width, value)| (format!("{flags}{width}d"), KeyValue::Int(value)));
    let float = (flags, 0..9_usize, 0..7_usize, "[eEfFgG]", -1e6..1e6_f64).prop_map(
        |(flags, width, precision, kind, value)| {
            (
                format!("{flags}{width}.{precision}{kind}"),
                KeyValue::Float(value),
            )
        },
    );
    let text = ("-?[1-9]?[sr]", "[a-zA-Z0-9 ._+é'-]{1,8}")
        .prop_map(|(kind, value)| (kind, KeyValue::Str(value)));
    prop_oneof![int, small, float, text]
}

proptest! {
    /// Whatever the template and the data ID: what fill gives reads back as what was given.
    #[test]
    fn fill_and_read_are_inverse(
        pieces in prop::collection::vec((conversion_and_value(), "[a-z/_.%-]{0,3}"), 1..5),
    ) {
        let mut text = String::from("t");
        let mut data_id = DataId::default();
        for (index, ((conversion, value), literal)) in pieces.iter().enumerate() {
            text.push_str(&format!("%(k{index}){conversion}{}", literal.replace('%', "%%")));
            data_id.insert(format!("k{index}"), value.clone());
        }
        if let Ok(template) = Template::parse(&text)
            && let Ok(filled) = template.fill(&data_id)
        {
            prop_assert_eq!(template.read(filled.path.as_str()), Some(data_id.clone()));
            prop_assert_eq!(template.read_suffix(&format!("x/y/{}", filled.path)), Some(data_id));
            prop_assert!(template.can_meet(&template));
        }
    }

    /// Whatever the values: a path never leaves the folder that the template puts it in.
    #[test]
    fn values_never_escape(a in any::<String>(), b in "[./\\\\a~\0 ]{0,6}") {
        let data_id = DataId::new([("a", a.as_str().into()), ("b", b.as_str().into())]);
        for text in ["x/%(a)s/%(b)s", "%(a)s/%(b)s", "%(b)s%(a)s", "x/%(b)s-%(a)s", "%(b)s/x"] {
            let template = template(text);
            if let Ok(filled) = template.fill(&data_id) {
                let folders = |path: &str| path.matches('/').count();
                let path = filled.path.as_str();
                prop_assert_eq!(folders(path), folders(text));
                prop_assert!(!path.split('/').any(|part| part.starts_with('.') || part.is_empty()));
            }
        }
    }

    /// Two templates that are said not to meet never give one path.
    #[test]
    fn r8_meeting_errs_on_the_side_of_yes(
        (a, a_value) in conversion_and_value(),
        (b, b_value) in conversion_and_value(),
        start in "[a-z1-9]{0,2}",
    ) {
        let first = Template::parse(&format!("x/{start}%(k){a}"));
        let second = Template::parse(&format!("x/%(k){b}"));
        if let (Ok(first), Ok(second)) = (first, second) {
            for (one, other, value) in [(&first, &second, a_value), (&second, &first, b_value)] {
                let Ok(filled) = one.fill(&DataId::new([("k", value)])) else {
                    continue;
                };
                let read = other.read(filled.path.as_str());
                let gives_it_too =
                    read.is_some_and(|read| other.fill(&read).is_ok_and(|again| again == filled));
                prop_assert!(!gives_it_too || one.can_meet(other));
            }
        }
    }

    /// No text makes the parser or the reader fall over.
    #[test]
    fn any_text_is_parsed_or_refused(text in "[%()a-z0-9.*\\[\\]/#+ é-]{0,24}", path in any::<String>()) {
        match Template::parse(&text) {
            Ok(template) => {
                template.read(&path);
                template.read_suffix(&path);
            }
            Err(error) => {
                prop_assert!(error.length >= 1);
                prop_assert!(error.column <= text.chars().count());
            }
        }
    }
}

#[test]
fn values_that_are_known_narrow_the_folder() {
    let template = Template::parse("calexp/%(visit)07d/%(ccd)03d.fits[1]").unwrap();
    let folder = |known: &str| template.folder_of(&DataId::parse(known).unwrap_or_default());
    assert_eq!(folder("").as_deref(), Some("calexp"));
    assert_eq!(folder("ccd=16").as_deref(), Some("calexp"));
    assert_eq!(folder("visit=903334").as_deref(), Some("calexp/0903334"));
    assert_eq!(
        folder("ccd=16 visit=903334").as_deref(),
        Some("calexp/0903334")
    );
    assert_eq!(folder("visit=r").as_deref(), Some("calexp"));
    let flat = Template::parse("%(visit)d.fits").unwrap();
    assert_eq!(flat.folder_of(&DataId::parse("visit=1").unwrap()), None);
}
