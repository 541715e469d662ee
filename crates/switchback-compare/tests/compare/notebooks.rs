//! Notebooks: cells in order, without what changes from one execution to the next.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use serde_json::{Value as Json, json};
use switchback_core::rule::{ImageTolerance, Rule, TextRule, Tolerance};

use super::{failure, report};

/// A notebook of one cell with these outputs.
fn notebook(outputs: &Json, execution: u64) -> Json {
    json!({"nbformat": 4, "nbformat_minor": execution, "metadata": {"kernelspec": {"name": "python3"}}, "cells": [
        {"cell_type": "code", "id": format!("c{execution}"), "execution_count": execution,
         "metadata": {"execution": {"iopub.status.busy": execution}, "papermill": {"duration": execution, "status": "done"}},
         "source": ["a = 1.5\n", "a"], "outputs": outputs}]})
}

fn check(old: &Json, new: &Json, rule: &Rule, verdict: &str, path: Option<&str>) {
    let folder = tempfile::tempdir().unwrap();
    let (old_path, new_path) = (folder.path().join("old.ipynb"), folder.path().join("new.ipynb"));
    std::fs::write(&old_path, old.to_string()).unwrap();
    std::fs::write(&new_path, new.to_string()).unwrap();
    let report = report(&old_path, &new_path, rule);
    assert_eq!(report["verdict"], verdict, "{report:#}");
    assert_eq!(report["items"][0]["differences"][0]["path"].as_str(), path);
}

fn near() -> Rule {
    Rule { tolerance: Tolerance { absolute: Some(1e-6), ..Tolerance::default() }, ..Rule::default() }
}

fn shown(kind: &str, content: &str) -> Json {
    json!([{"output_type": "display_data", "metadata": {}, "data": {kind: content}}])
}

#[test]
fn an_execution_leaves_traces_that_do_not_count() {
    let stream = |text: Json| json!({"output_type": "stream", "name": "stdout", "text": text});
    let old = notebook(&json!([stream(json!("a\nb\n"))]), 1);
    let new = notebook(&json!([stream(json!(["a\n"])), stream(json!("b\n"))]), 9);
    check(&old, &new, &Rule::default(), "yes", None);
    let mut source = new.clone();
    source["cells"][0]["source"] = json!("a = 1.50000001\na");
    check(&old, &source, &near(), "no", Some("/cells/0/source"));
    let mut tagged = new.clone();
    tagged["cells"][0]["metadata"]["tags"] = json!(["slow"]);
    check(&old, &tagged, &Rule::default(), "no", Some("/cells/0/metadata/tags"));
    let mut longer = new;
    longer["cells"]
        .as_array_mut()
        .unwrap()
        .push(json!({"cell_type": "markdown", "source": "x", "metadata": {}}));
    check(&old, &longer, &Rule::default(), "no", Some("/cells/1"));
}

#[test]
fn numbers_in_outputs_are_near_and_pictures_are_exact() {
    let (old, new) = (shown("text/html", "<td>1.5</td>"), shown("text/html", "<td>1.50000001</td>"));
    let place = Some("/cells/0/outputs/0/data/text~1html");
    check(&notebook(&old, 1), &notebook(&new, 1), &near(), "yes", None);
    check(&notebook(&old, 1), &notebook(&new, 1), &Rule::default(), "no", place);
    let words = shown("text/html", "<th>1.5</th>");
    check(&notebook(&old, 1), &notebook(&words, 1), &near(), "no", place);
    let (old, new) = (shown("image/png", "AA 1.5 =="), shown("image/png", "AA 1.50000001 =="));
    let place = Some("/cells/0/outputs/0/data/image~1png");
    check(&notebook(&old, 1), &notebook(&new, 1), &near(), "no", place);
    let (old, new) = (shown("text/plain", "<A at 0x1f>"), shown("text/plain", "<A at 0x2e>"));
    let masks = vec!["0x[0-9a-f]+".to_owned()];
    let masked = Rule { text: TextRule { masks, ..TextRule::default() }, ..Rule::default() };
    check(&notebook(&old, 1), &notebook(&new, 1), &masked, "yes", None);
}

#[test]
fn a_notebook_without_cells_proves_nothing() {
    let empty = json!({"nbformat": 4, "metadata": {"a": 1}, "cells": []});
    check(&empty, &empty, &Rule::default(), "unknown", None);
    check(&empty, &empty, &Rule { allow_empty: true, ..Rule::default() }, "yes", None);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.ipynb");
    std::fs::write(&path, "{}").unwrap();
    let said = failure(&path, &path, &Rule::default());
    assert!(
        said.starts_with("`bad.ipynb` line 1 column 1 cannot be read\nit has no list of `cells`"),
        "{said}"
    );
}

/// A picture of 20 × 10 pixels in base64, with one pixel that is brighter by `more`.
fn picture(more: u8, format: ImageFormat, change: fn(RgbImage) -> DynamicImage) -> String {
    let mut pixels = RgbImage::from_fn(20, 10, |x, y| Rgb([u8::try_from(x * 9 + y).unwrap(), 70, 80]));
    pixels.get_pixel_mut(7, 3).0[1] += more;
    let mut bytes = std::io::Cursor::new(Vec::new());
    change(pixels).write_to(&mut bytes, format).unwrap();
    STANDARD.encode(bytes.into_inner())
}

fn png(more: u8) -> String {
    picture(more, ImageFormat::Png, DynamicImage::ImageRgb8)
}

/// The report of two notebooks that show one picture each.
fn shown_pictures(kind: &str, old: &str, new: &str, image: ImageTolerance) -> Json {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, notebook(&shown(kind, content), 1).to_string()).unwrap();
        path
    };
    report(&write("old.ipynb", old), &write("new.ipynb", new), &Rule { image, ..Rule::default() })
}

// rows: RE-14
#[test]
fn pictures_are_compared_by_their_pixels() {
    let exact = ImageTolerance::default();
    for (old, new) in [
        (png(0), picture(0, ImageFormat::Png, |pixels| DynamicImage::ImageRgb8(pixels).into_rgba8().into())),
        (png(0), picture(0, ImageFormat::Png, |pixels| DynamicImage::ImageRgb8(pixels).into_rgb16().into())),
        (png(0), format!("{}\n", png(0))),
    ] {
        assert_ne!(old, new);
        let report = shown_pictures("image/png", &old, &new, exact);
        assert_eq!(
            (&report["verdict"], &report["items"][0]["relation"]),
            (&json!("yes"), &json!("identical"))
        );
    }
    let report = shown_pictures("image/png", &png(0), &png(3), exact);
    let size = "a picture of 20 × 10 pixels";
    assert_eq!(
        report["items"][0]["differences"],
        json!([{"path": "/cells/0/outputs/0/data/image~1png", "old": size, "new": size,
            "pixels": {"width": 20, "height": 10, "apart": 1, "largest": 3.0, "first": [7, 3]}}])
    );
    for (image, verdict) in [
        (ImageTolerance { channel_max: 3, pixels_percent_max: 0.0 }, "yes"),
        (ImageTolerance { channel_max: 2, pixels_percent_max: 0.0 }, "no"),
        (ImageTolerance { channel_max: 0, pixels_percent_max: 0.5 }, "yes"),
        (ImageTolerance { channel_max: 2, pixels_percent_max: 0.49 }, "no"),
    ] {
        let report = shown_pictures("image/png", &png(0), &png(3), image);
        assert_eq!(report["verdict"], verdict, "{image:?}");
        assert_eq!(report["items"][0]["relation"] == "tolerance", verdict == "yes");
    }
    let jpeg = |more| picture(more, ImageFormat::Jpeg, DynamicImage::ImageRgb8);
    assert_eq!(shown_pictures("image/jpeg", &jpeg(0), &jpeg(90), exact)["verdict"], "no");
    let loose = ImageTolerance { channel_max: 0, pixels_percent_max: 100.0 };
    assert_eq!(shown_pictures("image/jpeg", &jpeg(0), &jpeg(90), loose)["verdict"], "yes");
    let cropped =
        picture(0, ImageFormat::Png, |pixels| DynamicImage::ImageRgb8(pixels).crop_imm(0, 0, 10, 20));
    let report = shown_pictures("image/png", &png(0), &cropped, loose);
    assert_eq!(report["items"][0]["differences"][0]["new"], "a picture of 10 × 10 pixels");
}

// rows: RE-14
#[test]
fn a_picture_that_cannot_be_read_or_is_too_large_is_compared_as_text_and_the_report_says_so() {
    let loose = ImageTolerance { channel_max: 255, pixels_percent_max: 100.0 };
    // A header that promises 65,535 × 65,535 pixels.
    let mut bomb = STANDARD.decode(png(0)).unwrap();
    bomb[16..24].copy_from_slice(&[0, 0, 255, 255, 0, 0, 255, 255]);
    // The sum over the header is checked too: CRC-32 of the chunk (PNG specification, 5.3).
    let sum = crc(&bomb[12..29]).to_be_bytes();
    bomb[29..33].copy_from_slice(&sum);
    let cut = STANDARD.decode(png(0)).unwrap()[..60].to_vec();
    for (bytes, why) in [
        (bomb, "65535 × 65535 pixels are more than"),
        (cut, "the pixels at `/cells/0/outputs/0/data/image~1png`"),
    ] {
        let report = shown_pictures("image/png", &png(0), &STANDARD.encode(bytes), loose);
        assert_eq!(report["verdict"], "no");
        let said = report["items"][0]["not_compared"].to_string();
        assert!(said.contains(why) && said.contains("compared as text"), "{said}");
    }
}

/// CRC-32 as PNG has it, bit by bit.
fn crc(bytes: &[u8]) -> u32 {
    let step = |sum: u32, _| if sum & 1 == 1 { 0xEDB8_8320 ^ (sum >> 1) } else { sum >> 1 };
    !bytes.iter().fold(!0, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), step))
}
