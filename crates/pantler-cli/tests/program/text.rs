//! What people read when all is well: trees, tables, what was done.

use insta::{Settings, assert_snapshot};

use crate::survey::survey;

/// Sizes of simulated exposures are no matter of this test.
fn without_sizes() -> Settings {
    let mut settings = Settings::clone_current();
    settings.add_filter(r" *\b\d+(\.\d)? (B|kB|MB)\b", "  [size]");
    settings
}

#[test]
fn trees_of_gets() {
    let place = survey();
    without_sizes().bind(|| {
        assert_snapshot!(place.ok("explain jointcal calexp:jointcal visit=903334 ccd=16 tract=0"), @"
        calexp:jointcal   visit=903334 ccd=16 tract=0   Exposure, assembled by overlay   by lookup
        ├─ calexp   calexp:sfm       visit=903334 ccd=16  [size]   single_visit   calexp/0903334/016.fits                input only
        ├─ wcs      jointcal_wcs     … tract=0  [size]   jointcal       jointcal/0000/wcs-0903334-016.fits
        └─ calib    jointcal_calib   … tract=0  [size]   jointcal       jointcal/0000/calib-0903334-016.fits
        ");
        assert_snapshot!(place.ok("explain jointcal calexp:sfm visit=903334 ccd=16"), @"calexp:sfm   visit=903334 ccd=16  [size]   single_visit   calexp/0903334/016.fits");
        assert_snapshot!(place.ok("explain jointcal calexp:jointcal.wcs visit=903334 ccd=16 tract=1"), @"calexp:jointcal.wcs   visit=903334 ccd=16 tract=1  [size]   jointcal   jointcal/0001/wcs-0903334-016.fits   by lookup");
        place.ok("link jointcal calexp:jointcal visit=903334 ccd=16 tract=0");
        assert_snapshot!(place.ok("explain jointcal calexp:jointcal visit=903334 ccd=16 tract=0"), @"
        calexp:jointcal   visit=903334 ccd=16 tract=0   Exposure, assembled by overlay   recorded
        ├─ calexp   calexp:sfm       visit=903334 ccd=16  [size]   single_visit   calexp/0903334/016.fits                input only
        ├─ wcs      jointcal_wcs     … tract=0  [size]   jointcal       jointcal/0000/wcs-0903334-016.fits
        └─ calib    jointcal_calib   … tract=0  [size]   jointcal       jointcal/0000/calib-0903334-016.fits
        ");
        assert_snapshot!(
            place.ok("explain jointcal calexp:jointcal visit=903334 ccd=16 tract=0 --composition lookup"),
            @"
        calexp:jointcal   visit=903334 ccd=16 tract=0   Exposure, assembled by overlay   by lookup
        ├─ calexp   calexp:sfm       visit=903334 ccd=16  [size]   single_visit   calexp/0903334/016.fits                input only
        ├─ wcs      jointcal_wcs     … tract=0  [size]   jointcal       jointcal/0000/wcs-0903334-016.fits
        └─ calib    jointcal_calib   … tract=0  [size]   jointcal       jointcal/0000/calib-0903334-016.fits
        "
        );
    });
}

#[test]
fn trees_of_puts() {
    let place = survey();
    assert_snapshot!(place.ok("explain jointcal calexp:jointcal visit=903334 ccd=16 tract=2 --put"), @"
    calexp:jointcal   visit=903334 ccd=16 tract=2   taken apart, and recorded
    ├─ calexp   calexp:sfm       visit=903334 ccd=16                                                  input only, recorded from single_visit
    ├─ wcs      jointcal_wcs     visit=903334 ccd=16 tract=2   jointcal/0002/wcs-0903334-016.fits     written to jointcal
    └─ calib    jointcal_calib   visit=903334 ccd=16 tract=2   jointcal/0002/calib-0903334-016.fits   written to jointcal
    ");
    assert_snapshot!(place.ok("explain jointcal calexp:jointcal visit=903334 ccd=16 tract=0 --put"), @"
    calexp:jointcal   visit=903334 ccd=16 tract=0   taken apart, and recorded
    ├─ calexp   calexp:sfm       visit=903334 ccd=16                                                  input only, recorded from single_visit
    ├─ wcs      jointcal_wcs     visit=903334 ccd=16 tract=0   jointcal/0000/wcs-0903334-016.fits     exists here: the same writes nothing, another is refused without --replace
    └─ calib    jointcal_calib   visit=903334 ccd=16 tract=0   jointcal/0000/calib-0903334-016.fits   exists here: the same writes nothing, another is refused without --replace
    ");
    assert_snapshot!(place.ok("explain jointcal calexp:shown visit=903334 ccd=16 tract=0 --put"), @"
    calexp:shown   visit=903334 ccd=16 tract=0   refused: it has an assembler and no disassembler
    ├─ calexp   calexp:sfm     visit=903334 ccd=16                                                input only, recorded from single_visit
    └─ wcs      jointcal_wcs   visit=903334 ccd=16 tract=0   jointcal/0000/wcs-0903334-016.fits   exists here: the same writes nothing, another is refused without --replace
    ");
}

#[test]
fn tables() {
    let place = survey();
    without_sizes().bind(|| {
        assert_snapshot!(place.ok("query jointcal"), @"
        type              visit   ccd   tract      size   repository     location
        calexp:sfm       903334    16  [size]   single_visit   calexp/0903334/016.fits
        calexp:sfm       903334    17  [size]   single_visit   calexp/0903334/017.fits
        jointcal_calib   903334    16       0  [size]   jointcal       jointcal/0000/calib-0903334-016.fits
        jointcal_calib   903334    16       1  [size]   jointcal       jointcal/0001/calib-0903334-016.fits
        jointcal_wcs     903334    16       0  [size]   jointcal       jointcal/0000/wcs-0903334-016.fits
        jointcal_wcs     903334    16       1  [size]   jointcal       jointcal/0001/wcs-0903334-016.fits
        ");
        assert_snapshot!(place.ok("query jointcal calexp:jointcal --order-by -tract"), @"
        type               visit   ccd   tract      size   repository
        calexp:jointcal   903334    16       1  [size]   jointcal
        calexp:jointcal   903334    16       0  [size]   jointcal
        ");
        assert_snapshot!(place.ok("show jointcal"), @"
        [folder]/jointcal
        parents  [folder]/single_visit
        stages   sfm, jointcal, shown

        type             kind   datasets     size   keys
        jointcal_calib   file          2  [size]   tract=0…1  visit=903334  ccd=16
        jointcal_wcs     file          2  [size]   tract=0…1  visit=903334  ccd=16
        ");
        assert_snapshot!(place.ok("policy show jointcal"), @"
        type              kind        class        template or components                                  defined
        jointcal_wcs      file        Wcs          jointcal/%(tract)04d/wcs-%(visit)07d-%(ccd)03d.fits     jointcal/policy.yaml:5
        jointcal_calib    file        PhotoCalib   jointcal/%(tract)04d/calib-%(visit)07d-%(ccd)03d.fits   jointcal/policy.yaml:9
        calexp:jointcal   composite   Exposure     calexp, wcs, calib                                      jointcal/policy.yaml:13
        calexp_wcs        file        Wcs          calexp/%(visit)07d/%(ccd)03d.fits                       jointcal/policy.yaml:19
        post_calexp       file        Exposure     post/%(visit)07d/%(ccd)03d.fits                         jointcal/policy.yaml:23
        calexp:shown      composite   Exposure     calexp, wcs                                             jointcal/policy.yaml:27
        calexp:sfm        file        Exposure     calexp/%(visit)07d/%(ccd)03d.fits                       single_visit/policy.yaml:6
        ");
    });
    assert_snapshot!(place.ok("policy show jointcal calexp:jointcal"), @"
    calexp:jointcal:                    # jointcal/policy.yaml:13
      python: lsst.afw.image.ExposureF  # jointcal/policy.yaml:14
      composite:                        # jointcal/policy.yaml:15
        calexp:
          datasetType: calexp:sfm
          inputOnly: true
        wcs:
          datasetType: jointcal_wcs
        calib:
          datasetType: jointcal_calib
    ");
}

#[test]
fn what_was_done() {
    let place = survey();
    without_sizes().bind(|| {
        assert_snapshot!(place.ok("get jointcal calexp:jointcal visit=903334 ccd=16 tract=0 --out a.fits"), @"a.fits   FITS,  [size]");
        assert_snapshot!(place.ok("put jointcal calexp:jointcal a.fits visit=903334 ccd=16 tract=0"), @"
        calexp:jointcal visit=903334 ccd=16 tract=0
          unchanged   wcs
                      calib
          input only  calexp
          recorded    calexp:jointcal
        ");
        assert_snapshot!(place.ok("put jointcal calexp:jointcal a.fits visit=903334 ccd=16 tract=0"), @"
        calexp:jointcal visit=903334 ccd=16 tract=0
          unchanged   wcs
                      calib
                      calexp:jointcal
          input only  calexp
          nothing new: it was there already
        ");
        assert_snapshot!(place.ok("put jointcal calexp:jointcal a.fits visit=903334 ccd=16 tract=5"), @"
        calexp:jointcal visit=903334 ccd=16 tract=5
          written     jointcal/0005/wcs-0903334-016.fits
                      jointcal/0005/calib-0903334-016.fits
          input only  calexp
          recorded    calexp:jointcal
        ");
        assert_snapshot!(place.ok("ingest single_visit calexp:sfm a.fits visit=1 ccd=2"), @"1 file ingested into single_visit");
        assert_snapshot!(place.ok("rm single_visit calexp:sfm visit=1 ccd=2"), @"
        removed calexp:sfm visit=1 ccd=2
          file      calexp/0000001/002.fits (  [size])
        ");
        assert_snapshot!(place.ok("fsck jointcal"), @"clean: 8 datasets checked");
    });
}

#[test]
fn what_a_file_is() {
    let place = survey();
    place.write("d.json", "{\"b\": [1, 2], \"a\": null}");
    assert_snapshot!(place.ok("show --file d.json"), @r#"
    d.json   Document

    content
    {
      "b": [
        1,
        2
      ],
      "a": null
    }
    "#);
    place.ok("get single_visit calexp:sfm.mask visit=903334 ccd=16 --out m.fits");
    assert_snapshot!(place.ok("show --file m.fits"), @"
    m.fits   Image

    HDU   kind      shape   type       size   taken for
      0   image   64 x 64   int32   22.1 kB   image

    component   class        size
    metadata    Metadata   5.8 kB
    bbox        Bbox       5.8 kB
    wcs         Wcs        5.8 kB

    sky
    coordinates      header, RA---TAN-SIP DEC--TAN-SIP, ICRS
    centre           150.205882 +2.088906 deg   10:00:49.412 +02:05:20.06
    pixel scale      0.20001 arcsec
    size             12.8004 arcsec x 12.8004 arcsec
    position angle   0.072 deg from north to upwards, east is to the left of north
    lower left       150.207659 +2.087126 deg   10:00:49.838 +02:05:13.65
    lower right      150.204101 +2.087130 deg   10:00:48.984 +02:05:13.67
    upper right      150.204106 +2.090686 deg   10:00:48.985 +02:05:26.47
    upper left       150.207664 +2.090681 deg   10:00:49.839 +02:05:26.45

    plane     shape   type    pixels   min   max      mean   median       std   robust std   NaN
    image   64 x 64   int32     4096     0    48   4.82812        0   7.94916            0     0

    header, 20 of 29 lines (--all shows the rest)
    WCSAXES = 2 / number of axes
    CTYPE1  = 'RA---TAN-SIP' / right ascension, gnomonic, distorted
    CTYPE2  = 'DEC--TAN-SIP' / declination, gnomonic, distorted
    CUNIT1  = 'deg' / unit of axis 1
    CUNIT2  = 'deg' / unit of axis 2
    CRVAL1  = 150.09665106735787 / right ascension of the optical axis
    CRVAL2  = 2.198400507439799 / declination of the optical axis
    CRPIX1  = 1999.692121178587 / pixel of the optical axis
    CRPIX2  = 2000.9427219140591 / pixel of the optical axis
    CD1_1   = -5.555551554381826e-5 / degrees per pixel
    CD1_2   = 6.667643502593116e-8 / degrees per pixel
    CD2_1   = 6.667643502593116e-8 / degrees per pixel
    CD2_2   = 5.555551554381826e-5 / degrees per pixel
    RADESYS = 'ICRS' / reference frame
    A_ORDER = 3 / order of the distortion
    A_3_0   = 2.3148148148148147e-12 / distortion
    A_1_2   = 2.3148148148148147e-12 / distortion
    B_ORDER = 3 / order of the distortion
    B_0_3   = 2.3148148148148147e-12 / distortion
    B_2_1   = 2.3148148148148147e-12 / distortion
    ");
    let document = place.json("show --file d.json");
    assert_eq!(document["class"], "Document");
}

/// What a policy probably does not mean is said on standard error, and by no command that is asked to be quiet.
#[test]
fn warnings_of_policies() {
    let place = survey();
    place.write(
        "w.yaml",
        "datasets:\n  a:\n    template: 'x/%(visit)d.json'\n    python: dict\n    storage: JsonStorage\n  b:\n    template: 'x/%(ccd)d.json'\n    python: dict\n    storage: JsonStorage\n",
    );
    place.ok("init w --policy w.yaml");
    let ran = place.run("query w");
    assert_eq!((ran.status, ran.out.as_str()), (0, ""));
    assert_snapshot!(ran.error, @"
    warning: datasets of `a` (w/policy.yaml:3) and of `b` could have one path (w/policy.yaml:7); `pantler policy check w/policy.yaml` shows it in its place
    nothing fits
    ");
    let checked = place.run("policy check w/policy.yaml");
    assert_eq!(checked.status, 1);
    assert_snapshot!(checked.out, @"
    warning[templates-meet]: datasets of `a` (w/policy.yaml:3) and of `b` could have one path
      --> w/policy.yaml:7:15
    7 |     template: 'x/%(ccd)d.json'
      |               ^^^^^^^^^^^^^^^^
    hint: keep them apart by a folder or an ending of their own

    the policy has 1 warning
    ");
    assert_eq!(place.run("query w --quiet").error, "");
    assert_eq!(place.run("query w --json").error, "");
}
