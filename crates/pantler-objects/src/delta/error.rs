//! Why an operation on a plane cannot be carried out.

use pantler_core::object::ComponentError;

use crate::background::BackgroundError;
use crate::image::ImageError;
use crate::pixels::PixelType;

/// An operation that cannot be carried out.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DeltaError {
    /// There is no such operation, or not on such a plane.
    #[error("`{operation}` is no operation on `{to}`")]
    Operation {
        /// The operation.
        operation: String,
        /// What it was to change.
        to: String,
    },
    /// What the operation is to change is not there.
    #[error("a {class} without {plane}, which the operation changes")]
    NoPlane {
        /// The class of the object.
        class: String,
        /// The plane.
        plane: &'static str,
    },
    /// The object that stands for the operation is of no use for it.
    #[error("{class} cannot be {wanted}")]
    Unsuitable {
        /// Its class.
        class: String,
        /// What it would have to be.
        wanted: &'static str,
    },
    /// The pixels cover different rectangles.
    #[error("it covers {delta} and must cover {base}")]
    Box {
        /// What the operation's pixels cover.
        delta: String,
        /// What the plane covers.
        base: String,
    },
    /// The pixels are of types that do not go together.
    #[error("its pixels are {delta}, which cannot be computed with {base} without loss")]
    PixelType {
        /// The type of the operation's pixels.
        delta: PixelType,
        /// The type of the plane's pixels.
        base: PixelType,
    },
    /// A result that the type of the pixels cannot hold.
    #[error("the result at pixel ({x}, {y}) is no {pixel_type}")]
    Overflow {
        /// The column in the parent.
        x: i64,
        /// The row in the parent.
        y: i64,
        /// The type of the pixels.
        pixel_type: PixelType,
    },
    /// Mask planes that only one side has, where the policy does not say what to do with them.
    #[error("{side} has the mask planes {}", .planes.join(", "))]
    Planes {
        /// The planes, in order of their names.
        planes: Vec<String>,
        /// Which side has them.
        side: &'static str,
    },
    /// No bit is left for a mask plane.
    #[error("all 32 bits of the mask are taken, and the plane {plane} needs one")]
    NoBit {
        /// The plane.
        plane: String,
    },
    /// The background has no image of this rectangle.
    #[error(transparent)]
    Background(#[from] BackgroundError),
    /// The pixels are no image.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The object does not take the plane.
    #[error(transparent)]
    Component(#[from] ComponentError),
}
