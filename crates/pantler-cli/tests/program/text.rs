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
