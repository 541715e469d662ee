//! Pictures in a notebook's outputs, pixel by pixel.

use std::io::Cursor;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::{DynamicImage, ImageFormat, ImageReader, Limits};
use switchback_core::rule::ImageTolerance;

use crate::format::Pixels;
use crate::value::Closeness;

/// More pixels than that are not decoded: a picture of a few bytes can be one of terabytes.
const PIXELS_MAX: u64 = 16 * 1024 * 1024;
/// What the decoder may take beside the pixels.
const DECODER_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// A channel of 8 bits as one of 16: 255 becomes 65535.
const STEP: u16 = 257;

/// What the comparison of two pictures found.
#[derive(Debug)]
pub(crate) enum Found {
    /// Their pixels.
    Pixels(Closeness, Pixels),
    /// They are not of one size: width and height of each.
    Sizes((u32, u32), (u32, u32)),
    /// One of them cannot be read: why.
    Unread(String),
}

/// The format of a MIME type whose pixels are compared.
pub(crate) fn format_of(mime: &str) -> Option<ImageFormat> {
    match mime {
        "image/png" => Some(ImageFormat::Png),
        "image/jpeg" => Some(ImageFormat::Jpeg),
        _ => None,
    }
}

/// Compares two pictures in base64, as notebooks hold them.
pub(crate) fn compare(old: &str, new: &str, format: ImageFormat, tolerance: ImageTolerance) -> Found {
    let (old, new) = match (decode(old, format), decode(new, format)) {
        (Ok(old), Ok(new)) => (old, new),
        // The same words whichever side is which.
        (Err(one), Err(two)) => return Found::Unread(one.min(two)),
        (Err(why), _) | (_, Err(why)) => return Found::Unread(why),
    };
    let sizes = [(old.width(), old.height()), (new.width(), new.height())];
    if sizes[0] != sizes[1] {
        return Found::Sizes(sizes[0], sizes[1]);
    }
    let (old, new) = (old.into_rgba16(), new.into_rgba16());
    let threshold = u16::from(tolerance.channel_max) * STEP;
    let (mut apart, mut largest, mut first) = (0_u64, 0_u16, None);
    for ((x, y, one), two) in old.enumerate_pixels().zip(new.pixels()) {
        let distance = one.0.iter().zip(two.0).map(|(one, two)| one.abs_diff(two)).max().unwrap_or(0);
        largest = largest.max(distance);
        if distance > threshold {
            apart += 1;
            first = first.or(Some((x, y)));
        }
    }
    let (width, height) = sizes[0];
    let pixels = u64::from(width) * u64::from(height);
    #[expect(clippy::cast_precision_loss, reason = "16 million pixels are exact in a float")]
    let percent = 100.0 * apart as f64 / pixels.max(1) as f64;
    let closeness = match () {
        () if largest == 0 => Closeness::Identical,
        () if percent <= tolerance.pixels_percent_max => Closeness::Within,
        () => Closeness::Different,
    };
    let largest = f64::from(largest) / f64::from(STEP);
    Found::Pixels(closeness, Pixels { width, height, apart, largest, first })
}

fn decode(text: &str, format: ImageFormat) -> Result<DynamicImage, String> {
    let plain: String = text.chars().filter(|letter| !letter.is_ascii_whitespace()).collect();
    let bytes = STANDARD.decode(plain).map_err(|error| format!("it is no base64: {error}"))?;
    let reader = || ImageReader::with_format(Cursor::new(bytes.as_slice()), format);
    let (width, height) = reader().into_dimensions().map_err(|error| error.to_string())?;
    if u64::from(width) * u64::from(height) > PIXELS_MAX {
        return Err(format!("{width} × {height} pixels are more than {PIXELS_MAX}"));
    }
    let mut reader = reader();
    let mut limits = Limits::default();
    limits.max_alloc = Some(DECODER_BYTES_MAX);
    reader.limits(limits);
    reader.decode().map_err(|error| error.to_string())
}
