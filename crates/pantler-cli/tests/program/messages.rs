//! What people read when something is wrong: each message whole, and each hint followed.

use insta::assert_snapshot;

use crate::support::Place;
use crate::survey::survey;

/// Takes the first command in backticks out of the hints.
fn hinted(error: &str) -> String {
    let hints = error
        .split_once("\nhint: ")
        .map(|(_, hints)| hints)
        .unwrap_or_default();
    let (_, rest) = hints
        .split_once("`pantler ")
        .expect("a hint names a command");
    rest.split_once('`').expect("the quote ends").0.to_owned()
}

#[test]
fn an_unknown_type() {
    let place = survey();
    let error = place.refused(
        "get jointcal calexp_wsc visit=903334 ccd=16 --out a.fits",
        2,
    );
    assert_snapshot!(error, @"
    error: unknown dataset type `calexp_wsc`
      asked for  calexp_wsc visit=903334 ccd=16
      looked in  the policies of jointcal (6 types) and single_visit (1 type)

    hint: did you mean `calexp_wcs`? (jointcal/policy.yaml:19)
    ");
}

#[test]
fn a_key_with_several_values() {
    let place = survey();
    let error = place.refused(
        "get jointcal calexp:jointcal visit=903334 ccd=16 --out a.fits",
        2,
    );
    assert_snapshot!(error, @"
    error: `calexp:jointcal` needs the key `tract`, and 2 values match
      asked for  calexp:jointcal visit=903334 ccd=16
      needed by  component `wcs` (jointcal_wcs), component `calib` (jointcal_calib)
      found      tract=0 (jointcal), tract=1 (jointcal)

    hint: add one of them, for instance tract=0
    hint: `pantler query jointcal calexp:jointcal visit=903334 ccd=16` lists both
    ");
    assert_snapshot!(place.ok(&hinted(&error)), @"
    type               visit   ccd   tract      size   repository
    calexp:jointcal   903334    16       0   86.4 kB   jointcal
    calexp:jointcal   903334    16       1   86.4 kB   jointcal
    ");
    place.ok("get jointcal calexp:jointcal visit=903334 ccd=16 tract=0 --out a.fits");
}

#[test]
fn a_component_that_is_gone() {
    let place = survey();
    std::fs::remove_file(place.path("jointcal/jointcal/0000/calib-0903334-016.fits"))
        .expect("it is there");
    let error = place.refused(
        "get jointcal calexp:jointcal visit=903334 ccd=16 tract=0 --out a.fits",
        3,
    );
    assert_snapshot!(error, @"
    error: component `calib` of `calexp:jointcal` was not found in any repository
      asked for  calexp:jointcal visit=903334 ccd=16 tract=0
      needed by  component `calib`, which is jointcal_calib visit=903334 ccd=16 tract=0 (jointcal/policy.yaml:18)
      looked in  1. jointcal  in its registry, but jointcal/0000/calib-0903334-016.fits is gone

    hint: `pantler fsck jointcal` lists every file that is gone
    ");
    let checked = place.run(&hinted(&error));
    assert_eq!(checked.status, 1);
    assert_snapshot!(checked.out, @"
    problem   type             data ID                       where
    gone      jointcal_calib   tract=0 visit=903334 ccd=16   jointcal/0000/calib-0903334-016.fits
    1 problem in 4 datasets
    ");
}

#[test]
fn a_component_that_was_never_put() {
    let place = survey();
    let error = place.refused(
        "get jointcal calexp:jointcal visit=903334 ccd=17 tract=0 --out a.fits",
        2,
    );
    assert_snapshot!(error, @"
    error: component `wcs` of `calexp:jointcal` was not found in any repository
      asked for  calexp:jointcal visit=903334 ccd=17 tract=0
      needed by  component `wcs`, which is jointcal_wcs visit=903334 ccd=17 tract=0 (jointcal/policy.yaml:17)
      looked in  1. jointcal      not in its registry
                 2. single_visit  its policy does not define jointcal_wcs
      found      calexp in single_visit
      why        a component is never taken from another stage, so wcs of calexp:sfm was not used

    hint: `pantler query jointcal jointcal_wcs` lists what there is
    ");
}

#[test]
fn a_composite_that_can_only_be_read() {
    let place = survey();
    place.ok("get jointcal calexp:shown visit=903334 ccd=16 tract=0 --out a.fits");
    let before = place.artifacts("jointcal");
    let error = place.refused(
        "put jointcal calexp:shown a.fits visit=903334 ccd=16 tract=0",
        2,
    );
    assert_snapshot!(error, @"
    error: cannot put `calexp:shown`, it can only be read
      defined    jointcal/policy.yaml:27, a composite of `calexp` and `wcs`
      why        it has the assembler `pantler.overlay` and no disassembler, so pantler cannot tell which piece of it belongs to which part
      written    nothing

    hint: put it whole as `post_calexp`, which has the same Python type
    hint: or give `calexp:shown` a `disassembler`
    ");
    assert_eq!(place.artifacts("jointcal"), before);
    place.ok("put jointcal post_calexp a.fits visit=903334 ccd=16");
}

#[test]
fn an_expression_that_cannot_be_read() {
    let place = survey();
    assert_snapshot!(place.refused("query jointcal calexp:sfm --where 'visit > 1 adn ccd = 2'", 2), @"
    error: cannot read the expression: `adn` is not expected here: `and` or `or` is missing before it
      asked for  visit > 1 adn ccd = 2
                           ^^^

    hint: did you mean `and`?
    ");
}

#[test]
fn a_key_that_nobody_has() {
    let place = survey();
    assert_snapshot!(place.refused("query jointcal calexp:sfm viist=903334", 2), @"
    error: unknown key `viist`
      asked for  calexp:sfm viist=903334
      found      the keys visit, ccd

    hint: did you mean `visit`?
    ");
    assert_snapshot!(place.refused("query jointcal calexp:sfm visit=g", 2), @"
    error: the key `visit` is a whole number, and g is not
      asked for  calexp:sfm visit=g
    ");
}

#[test]
fn a_command_and_an_option_that_nobody_has() {
    let place = Place::new();
    assert_snapshot!(place.refused("explian jointcal calexp", 2), @"
    error: unrecognized subcommand 'explian'

      tip: a similar subcommand exists: 'explain'

    Usage: pantler [OPTIONS] <COMMAND>

    For more information, try '--help'.
    ");
    assert_snapshot!(place.refused("query jointcal calexp --ordr-by visit", 2), @"
    error: unexpected argument '--ordr-by' found

      tip: a similar argument exists: '--order-by'

    Usage: pantler query [OPTIONS] <REPO> [NAME] [key=value]...

    For more information, try '--help'.
    ");
}

#[test]
fn a_file_that_is_no_repository() {
    let place = survey();
    assert_snapshot!(place.refused("query single_vist", 2), @"
    error: single_vist is not a repository
      why        there is no such folder

    hint: `pantler init single_vist --policy FILE` makes one
    ");
    assert_snapshot!(place.refused("show single_visit/policy.yaml", 2), @"
    error: single_visit/policy.yaml is not a repository
      why        it is a file
    ");
}

#[test]
fn a_faulty_policy() {
    let place = Place::new();
    place.write(
        "faulty.yaml",
        "datasets:\n  src:\n    template: 'src/%(visit)d.fits'\n    pyhton: lsst.afw.table.SourceCatalog\n    storage: FitsStorage\n    composite:\n      wcs: {datasettype: nowhere}\n",
    );
    assert_snapshot!(place.refused("init here --policy faulty.yaml", 2), @"
    warning[template-of-composite]: `src` is a composite, so its template is not used
      --> faulty.yaml:3:5
    3 |     template: 'src/%(visit)d.fits'
      |     ^^^^^^^^
    hint: leave out `template`, or `composite`

    error[unknown-key]: a dataset type has no key `pyhton`
      --> faulty.yaml:4:5
    4 |     pyhton: lsst.afw.table.SourceCatalog
      |     ^^^^^^
    hint: did you mean `python`?

    error[unknown-key]: a component has no key `datasettype`
      --> faulty.yaml:7:13
    7 |       wcs: {datasettype: nowhere}
      |             ^^^^^^^^^^^
    hint: did you mean `datasetType`?

    error[unknown-type]: the component `wcs` of `src` names `nowhere`, which no policy here defines
      --> faulty.yaml:7:26
    7 |       wcs: {datasettype: nowhere}
      |                          ^^^^^^^

    error: the policy has 3 errors and 1 warning
    ");
    assert!(!place.path("here").exists());
    let checked = place.run("policy check faulty.yaml");
    assert_eq!(checked.status, 1);
    assert_snapshot!(checked.out, @"
    warning[template-of-composite]: `src` is a composite, so its template is not used
      --> faulty.yaml:3:5
    3 |     template: 'src/%(visit)d.fits'
      |     ^^^^^^^^
    hint: leave out `template`, or `composite`

    error[unknown-key]: a dataset type has no key `pyhton`
      --> faulty.yaml:4:5
    4 |     pyhton: lsst.afw.table.SourceCatalog
      |     ^^^^^^
    hint: did you mean `python`?

    error[unknown-key]: a component has no key `datasettype`
      --> faulty.yaml:7:13
    7 |       wcs: {datasettype: nowhere}
      |             ^^^^^^^^^^^
    hint: did you mean `datasetType`?

    error[unknown-type]: the component `wcs` of `src` names `nowhere`, which no policy here defines
      --> faulty.yaml:7:26
    7 |       wcs: {datasettype: nowhere}
      |                          ^^^^^^^

    the policy has 3 errors and 1 warning

    hint: where a parent's policy defines the type, name that repository with --parent
    ");
}

#[test]
fn a_file_that_is_broken() {
    let place = survey();
    place.write("broken.fits", "SIMPLE  =                    T");
    assert_snapshot!(place.refused("show --file broken.fits", 2), @"
    error: broken.fits is damaged
      asked for  broken.fits
      looked in  HDU 0
      why        its header has no END before the end of the file
    ");
    place.write("what.xyz", "\u{0}\u{1}");
    assert_snapshot!(place.refused("show --file what.xyz", 2), @"
    error: cannot tell the format of what.xyz

    hint: give it the extension of its format, for instance .fits, .json, .yaml or .txt
    ");
    let ran = place.run("ingest single_visit calexp:sfm broken.fits visit=1 ccd=1");
    assert_eq!(ran.status, 2);
    assert_snapshot!(ran.error, @"
    error: broken.fits is damaged
      asked for  calexp:sfm visit=1 ccd=1
      looked in  HDU 0
      why        its header has no END before the end of the file
    ");
}

#[test]
fn something_else_is_there_already() {
    let place = survey();
    place.ok("get single_visit calexp:sfm visit=903334 ccd=17 --out b.fits");
    let error = place.refused("put single_visit calexp:sfm b.fits visit=903334 ccd=16", 2);
    assert_snapshot!(error, @"
    error: `calexp:sfm` exists already, with other content
      asked for  calexp:sfm visit=903334 ccd=16
      found      calexp/0903334/016.fits in single_visit
      why        image differs at pixel (0, 0): 13.606344 and -5.193889
      written    nothing

    hint: `--replace` puts the new one in its place; compositions that used the old one keep it
    ");
}
