//! A page of what a bucket holds, as S3 says it (Amazon S3, `ListObjectsV2`). Stores differ in the name space that they put
//! it in, so that only the names of its elements count.

use percent_encoding::percent_decode_str;
use quick_xml::Reader;
use quick_xml::events::Event;

/// One page.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Page {
    /// Keys with the sizes of their objects in bytes.
    pub(crate) objects: Vec<(String, u64)>,
    /// With it the next page is asked for.
    pub(crate) next: Option<String>,
}

impl Page {
    /// Reads a page; an error says what is wrong with it.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let mut reader = Reader::from_str(text);
        let (mut page, mut names, mut words) = (Self::default(), Vec::<String>::new(), String::new());
        let (mut key, mut size, mut is_listing) = (None, None, false);
        loop {
            match reader.read_event().map_err(|error| error.to_string())? {
                Event::Start(start) => {
                    let name = start.local_name().as_ref().to_owned();
                    is_listing |= names.is_empty() && name == "ListBucketResult";
                    names.push(name);
                    words.clear();
                }
                Event::Text(text) => words.push_str(&text),
                Event::GeneralRef(name) => {
                    let meant = quick_xml::escape::resolve_predefined_entity(&name);
                    words.push_str(meant.ok_or_else(|| "it holds an unknown entity".to_owned())?);
                }
                Event::End(_) => {
                    let inside: Vec<&str> = names.iter().skip(1).map(String::as_str).collect();
                    match inside.as_slice() {
                        ["Contents", "Key"] => key = Some(decoded(&words)?),
                        ["Contents", "Size"] => size = words.trim().parse().ok(),
                        ["Contents"] => match (key.take(), size.take()) {
                            (Some(key), Some(size)) => page.objects.push((key, size)),
                            _ => return Err("an object in it has no key or no size".to_owned()),
                        },
                        ["NextContinuationToken"] => page.next = Some(words.trim().to_owned()),
                        _ => {}
                    }
                    names.pop();
                    words.clear();
                }
                Event::Eof if is_listing && names.is_empty() => return Ok(page),
                Event::Eof => return Err("it is not a whole listing".to_owned()),
                _ => {}
            }
        }
    }
}

/// Keys are asked for in the encoding of URLs, so that every one of them can stand in XML.
fn decoded(key: &str) -> Result<String, String> {
    let decoded = percent_decode_str(key.trim()).decode_utf8();
    decoded.map(std::borrow::Cow::into_owned).map_err(|_| format!("the key `{key}` is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name>\
        <Contents><Key>a%2Fb%20c</Key><Size>7</Size><Owner><ID>x</ID></Owner></Contents>\
        <NextContinuationToken>1&amp;2</NextContinuationToken></ListBucketResult>";

    #[test]
    fn a_page_is_read_whatever_its_name_space() {
        let meant = Page { objects: vec![("a/b c".to_owned(), 7)], next: Some("1&2".to_owned()) };
        assert_eq!(Page::read(PAGE), Ok(meant));
        let elsewhere = PAGE.replace("s3.amazonaws.com/doc", "doc.s3.amazonaws.com");
        assert_eq!(Page::read(&elsewhere), Page::read(PAGE));
    }

    #[test]
    fn what_is_no_whole_listing_is_refused() {
        for text in ["", "<html></html>", &PAGE[..PAGE.len() - 20], &PAGE.replace("<Size>7</Size>", "")] {
            assert!(Page::read(text).is_err(), "{text}");
        }
    }
}
