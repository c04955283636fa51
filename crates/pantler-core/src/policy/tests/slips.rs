//! The slips of the policies that the use cases were first written with, each with its message.

use super::*;

#[test]
fn a_key_of_another_case_gets_did_you_mean() {
    insta::assert_snapshot!(complaints("datasets:
  wcs: {template: wcs, storage: FitsStorage}
  extended_icSrc:
    composite:
      wcs: {
        datasettype: \"wcs\"
      }
"), @r#"
    error[unknown-key]: a component has no key `datasettype`
      --> policy.yaml:6:9
    6 |         datasettype: "wcs"
      |         ^^^^^^^^^^^
    hint: did you mean `datasetType`?
    "#);
}

#[test]
fn a_component_that_names_its_type_by_its_own_name_is_told_the_key() {
    insta::assert_snapshot!(complaints("datasets:
  calib: {template: calib, storage: FitsStorage}
  extended_icSrc:
    composite:
      calib: {
        calib: \"calib\"
      }
"), @r#"
    error[unknown-key]: the component `calib` has no key `calib`, and no `datasetType`
      --> policy.yaml:6:9
    6 |         calib: "calib"
      |         ^^^^^
    hint: write `datasetType: calib`
    "#);
}

#[test]
fn both_mended_slips_are_understood_so_that_nothing_else_is_reported() {
    assert_eq!(
        codes(
            "datasets:
  wcs: {template: wcs, storage: FitsStorage}
  c: {composite: {wcs: {datasettype: wcs}, calib: {calib: wsc}}}
"
        ),
        [("unknown-key", 3), ("unknown-key", 3), ("unknown-type", 3)]
    );
}

#[test]
fn a_missing_colon_and_an_equals_sign_are_named() {
    insta::assert_snapshot!(complaints("datasets: {
    calexp: {
        template:    \"calexp/%(visit)d.fits\"
        storage:     \"FitsStorage\"
    }
    coadd_postdetect { 
        python: \"lsst.afw.image.ExposureWithBackground\"
        composite: {
            exposure: {
                datasetType: calexp
                inputOnly = True
            }
        }
    }
}
"), @r"
error[missing-colon]: a colon is missing between `coadd_postdetect` and `{`
  --> policy.yaml:6:5
6 |     coadd_postdetect { 
  |     ^^^^^^^^^^^^^^^^
hint: write `coadd_postdetect: {`

error[equals-sign]: `inputOnly = True` has an equals sign where YAML has a colon
  --> policy.yaml:11:17
11 |                 inputOnly = True
   |                 ^^^^^^^^^^^^^^^^
hint: write `inputOnly: True`
");
}

#[test]
fn an_equals_sign_is_named_where_yaml_swallows_it() {
    let text = "datasets: {
    calexp: {template: c, storage: s},
    c: {
        composite: {
            exposure: {
                datasetType: calexp
                inputOnly = True
            }
        }
    }
}
";
    insta::assert_snapshot!(complaints(text), @r"
error[equals-sign]: `inputOnly = True` has an equals sign where YAML has a colon
  --> policy.yaml:7:17
7 |                 inputOnly = True
  |                 ^^^^^^^^^^^^^^^^
hint: write `inputOnly: True`
");
    // What was swallowed is not part of the value.
    let (policy, _) = load(text);
    let composite = find(&policy, "c").composite.as_ref().unwrap();
    assert_eq!(composite.components[0].dataset_type.to_string(), "calexp");
    // In block style YAML itself stumbles, and other texts may have equals signs.
    assert_eq!(
        codes(
            "datasets:\n  c:\n    composite:\n      e:\n        datasetType: c\n        inputOnly = True\n"
        ),
        [("equals-sign", 6)]
    );
    assert_eq!(
        codes("datasets:\n  a:\n    description: with\n      x = 1\n"),
        []
    );
}

#[test]
fn tabs_are_named() {
    insta::assert_snapshot!(complaints("datasets: {
    calexp: {template: a}
\t# Type 1 datasets
\tjoint_wcs: {
\t\ttemplate:    \"wcs/.../filename.fits\"
\t}
}
"), @r"
    warning[missing-commas]: entries in braces stand on lines of their own without commas between them
      --> policy.yaml:2:25
    2 |     calexp: {template: a}
      |                         ^
    hint: YAML wants a comma after each of them; other programs will not read this file

    warning[tab-indentation]: the line is indented with a tab, and YAML allows spaces only
      --> policy.yaml:4:1
    4 |  joint_wcs: {
      | ^
    hint: put spaces in the place of tabs; 3 lines of this file have them
    ");
    insta::assert_snapshot!(complaints("datasets:\n  a:\n\ttemplate: b\n"), @r"
    error[tab-indentation]: the line is indented with a tab, and YAML allows spaces only
      --> policy.yaml:3:1
    3 |  template: b
      | ^
    hint: put spaces in the place of the tab
    ");
}

#[test]
fn braces_without_commas_are_read_as_they_were_meant() {
    let text = "datasets: {
    # Type 2 getter for wcs
    calexp: {
        template:      \"calexp/%(visit)d.fits\"   # a comment, with {braces}
        storage:       'FitsStorage'
        tables:        raw
        tables:        raw_skyTile
    }
    jointcalexp(calexp): {
        composite: {
            calexp: {
                datasetType: \"calexp\"
                inputOnly: True # is this a good name?
            }
        }
        assembler: \"my.Assembler\"
    }
}
";
    let (policy, problems) = load(text);
    insta::assert_snapshot!(shown(&problems), @r#"
            warning[missing-commas]: entries in braces stand on lines of their own without commas between them
              --> policy.yaml:4:46
            4 |         template:      "calexp/%(visit)d.fits"   # a comment, with {braces}
              |                                              ^
            hint: YAML wants a comma after each of them; other programs will not read this file

            warning[repeated-key]: `tables` is given twice, in the lines 6 and 7, and read as a list
              --> policy.yaml:7:9
            7 |         tables:        raw_skyTile
              |         ^^^^^^
            hint: write the values as a list: `[raw, raw_skyTile]`
            "#);
    let calexp = find(&policy, "calexp");
    assert_eq!(calexp.storage.as_deref(), Some("FitsStorage"));
    assert_eq!(calexp.tables, ["raw", "raw_skyTile"]);
    let composite = find(&policy, "jointcalexp").composite.as_ref().unwrap();
    assert!(composite.components[0].input_only);
    assert_eq!(composite.assembler.as_deref(), Some("my.Assembler"));
}

#[test]
fn a_space_copied_from_a_web_page_is_a_space() {
    let text = "datasets:\n  a: {\u{a0}template: 'x\u{a0}y', storage: s }\n";
    let (policy, problems) = load(text);
    insta::assert_snapshot!(shown(&problems), @r"
    warning[no-break-space]: a no-break space stands where YAML has a space, as after copying from a web page
      --> policy.yaml:2:7
    2 |   a: { template: 'x y', storage: s }
      |       ^
    hint: put a space in its place; other programs take it for text
    ");
    // In quotes it is what its author wrote.
    assert_eq!(
        find(&policy, "a").template.as_ref().map(|one| one.text()),
        Some("x\u{a0}y")
    );
}

#[test]
fn other_breaks_of_yaml_have_their_place() {
    for (text, line, column) in [
        ("datasets: {a: {", 1, 15),
        ("datasets: {\n  a: {\n    template: x\n  }\n", 1, 11),
        ("datasets:\n  a: 'x\n", 2, 6),
        ("a: b: c\n", 1, 5),
        ("datasets: *gone\n", 1, 11),
        ("a: &x [*x]\n", 1, 8),
    ] {
        let (_, problems) = load(text);
        assert_eq!(problems.len(), 1, "{text}");
        let place = &problems[0].place;
        assert_eq!(
            (problems[0].code, place.line, place.column),
            ("yaml-syntax", line, column),
            "{text}"
        );
    }
    insta::assert_snapshot!(complaints("datasets:\n  a:\n    template: %(visit)d.fits\n"), @r"
        error[yaml-syntax]: this is not YAML: unexpected character: `%'
          --> policy.yaml:3:15
        3 |     template: %(visit)d.fits
          |               ^
        hint: put the template in quotes: YAML keeps `%` at the start for itself
        ");
    assert_eq!(
        codes("a: {template: x}\n---\nb: 1\n"),
        [("several-documents", 2)]
    );
    assert_eq!(
        codes("datasets: !!python/object:os.system {}\n"),
        [("unknown-tag", 1)]
    );
}

#[test]
fn components_of_types_that_are_not_there_are_told_what_is() {
    // The definitions say `joint_wcs` and `joint_calib`, and lie in one and the same path without a key.
    insta::assert_snapshot!(complaints("datasets:
  calexp: {template: 'calexp/%(visit)d.fits', storage: FitsStorage}
  joint_wcs: {template: 'wcs/.../filename.fits', storage: FitsStorage}
  joint_calib: {template: 'wcs/.../filename.fits', storage: FitsStorage}
  jointcalexp:
    composite:
      calexp: {datasetType: calexp, inputOnly: True}
      wcs: {datasetType: jointcal_wcs}
      calib: {datasetType: jointcal_calib}
"), @"
    error[unknown-type]: the component `wcs` of `jointcalexp` names `jointcal_wcs`, which no policy here defines
      --> policy.yaml:8:26
    8 |       wcs: {datasetType: jointcal_wcs}
      |                          ^^^^^^^^^^^^
    hint: did you mean `joint_wcs`?

    error[unknown-type]: the component `calib` of `jointcalexp` names `jointcal_calib`, which no policy here defines
      --> policy.yaml:9:28
    9 |       calib: {datasetType: jointcal_calib}
      |                            ^^^^^^^^^^^^^^
    hint: did you mean `joint_calib`?
    ");
    // A policy that leaves a definition out says which.
    insta::assert_snapshot!(complaints("datasets:
  calexp_psf: {template: 'calexp/%(visit)d.fits', storage: FitsStorage}
  calexp: {storage: FitsStorage, composite: {psf: {datasetType: calexp_psf}, calib: {datasetType: calib_psf}}}
"), @"
    error[unknown-type]: the component `calib` of `calexp` names `calib_psf`, which no policy here defines
      --> policy.yaml:3:99
    3 |   calexp: {storage: FitsStorage, composite: {psf: {datasetType: calexp_psf}, calib: {datasetType: calib_psf}}}
      |                                                                                                   ^^^^^^^^^
    hint: did you mean `calexp_psf`?
    ");
}

#[test]
fn a_brace_that_is_never_closed_is_named_where_it_opens() {
    insta::assert_snapshot!(complaints("datasets: {
    srccat_bg: {
        python: \"lsst.afw.table.SourceCatalog\"
        composite: {
            blue: {
                datasetType: \"srccat_blue\"
            }
        }
        assembler: 'lsst.mypackage.srccat_bg_assembler'
    }
    post_assembled_bg_srccat: {
        template: \"sci-results/%(run)d/bg.fits\"
        storage: \"FitsCatalogStorage\"
}
"), @"
    error[yaml-syntax]: this is not YAML: unclosed bracket '{'
      --> policy.yaml:1:11
    1 | datasets: {
      |           ^
    ");
}
