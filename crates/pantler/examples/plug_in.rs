//! A plug-in of one's own: an assembler and its mirror, registered under the name that policies use.
//!
//! `cargo run --example plug_in FOLDER` (a folder that does not exist)

#![allow(clippy::print_stdout)]

mod sky;

use std::sync::Arc;

use pantler::assemble::PluginSet;
use pantler::core::assembler::{Assembler, AssemblyError, ComponentInfo, Disassembler, Slot};
use pantler::{DataId, ObjectRef};

const POLICY: &str = r#"
datasets:
  best_wcs: {template: "wcs/%(visit)d-%(ccd)d.fits", python: lsst.afw.image.Wcs, storage: FitsStorage}
  calexp:best:
    python: lsst.afw.image.ExposureF
    composite:
      calexp: {datasetType: "calexp:sfm", inputOnly: true}
      wcs:    {datasetType: best_wcs}
    assembler: mypackage.WithWcs
    disassembler: mypackage.WithWcs
"#;

// [plug-in]
/// Lays the component `wcs` over the component `calexp`.
struct WithWcs;

impl Assembler for WithWcs {
    fn assemble(
        &self,
        _: &DataId,
        components: &[ComponentInfo],
        _: &str,
    ) -> Result<ObjectRef, AssemblyError> {
        let part = |name: &str| match components.iter().find(|component| component.name == name) {
            Some(ComponentInfo {
                slot: Slot::One(object),
                ..
            }) => Ok(object),
            _ => Err(AssemblyError::new(Some(name), "it is not there")),
        };
        // Components are shared with whoever else has them: this makes a copy, which shares the pixels.
        let exposure = part("calexp")?.with_component("wcs", part("wcs")?);
        exposure.map_err(|error| AssemblyError::new(Some("wcs"), error.to_string()))
    }
}

impl Disassembler for WithWcs {
    fn disassemble(
        &self,
        object: &ObjectRef,
        _: &DataId,
        components: &mut [ComponentInfo],
    ) -> Result<(), AssemblyError> {
        for component in components {
            component.slot = match component.name.as_str() {
                "wcs" => object.component("wcs").map_or(Slot::Empty, Slot::One),
                // What is only read is looked after by pantler: changed pixels are refused.
                _ => Slot::Empty,
            };
        }
        Ok(())
    }
}
// [/plug-in]

fn main() -> sky::Done {
    let survey = sky::simulate()?;
    // [registered]
    let plugins = PluginSet::standard()
        .with_assembler("mypackage.WithWcs", Arc::new(WithWcs))
        .with_disassembler("mypackage.WithWcs", Arc::new(WithWcs));
    let butler = sky::make(
        &survey.join("mine"),
        POLICY,
        &[survey.join("single_visit")],
        plugins,
    )?;
    // [/registered]
    let wcs: ObjectRef = Arc::new(pantler::simulate::Sky::new(1).jointcal_wcs(903_334, 16, 0));
    sky::put(&butler, &wcs, "best_wcs", "visit=903334 ccd=16")?;
    let exposure = sky::get(&butler, "calexp:best", "visit=903334 ccd=16")?;
    let own = exposure.component("wcs").ok_or("it has coordinates")?;
    println!(
        "the wcs is the better one: {}",
        own.difference(wcs.as_ref()).is_none()
    );
    let done = sky::put(&butler, &exposure, "calexp:best", "visit=903334 ccd=16")?;
    println!(
        "put: written {} | unchanged {}",
        done.written.len(),
        done.unchanged.join(", ")
    );
    Ok(())
}
