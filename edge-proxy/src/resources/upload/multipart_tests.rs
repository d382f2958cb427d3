use super::*;
use crate::resources::upload::part::FileName;
use futures_util::stream;

type Frames = stream::Iter<std::vec::IntoIter<Result<Bytes, axum::Error>>>;

fn form(body: &[u8], frame: usize) -> Form<Frames> {
    let frames: Vec<_> = body.chunks(frame).map(|frame| Ok(Bytes::copy_from_slice(frame))).collect();
    Form::new("multipart/form-data; boundary=B", stream::iter(frames)).unwrap()
}

async fn read(body: &[u8], frame: usize) -> Result<Vec<(Part, Vec<u8>)>, FormError> {
    let mut form = form(body, frame);
    let mut parts = Vec::new();
    while let Some(part) = form.next_part(0).await? {
        let mut content = Vec::new();
        while let Some(data) = form.data().await? {
            assert!(!data.is_empty());
            content.extend_from_slice(&data);
        }
        parts.push((part, content));
    }
    Ok(parts)
}

fn file(name: &str, content: &[u8]) -> Vec<u8> {
    let mut part = format!(
        "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         content-type: application/pdf\r\n\r\n"
    )
    .into_bytes();
    part.extend_from_slice(content);
    part.extend_from_slice(b"\r\n");
    part
}

#[tokio::test]
async fn parts_are_the_same_in_frames_of_any_size() {
    let tricky: &[&[u8]] = &[
        b"",
        b"\r",
        b"\r\n",
        b"\r\n-",
        b"\r\n--",
        b"\r\n--A",
        b"\r\r\n--",
        b"--B",
        b"a\r\n--\r\n--Ab",
        b"plain",
    ];
    for content in tricky {
        let mut body = b"--B\r\nContent-Disposition: form-data; name=session_id\r\n\r\nabc\r\n".to_vec();
        body.extend(file("a.pdf", content));
        body.extend(file("b.pdf", b"second"));
        body.extend(b"--B--\r\n");
        for frame in 1..=body.len() {
            let parts = read(&body, frame).await.unwrap();
            assert_eq!(parts.len(), 3);
            assert_eq!((parts[0].0.field.as_str(), parts[0].1.as_slice()), ("session_id", &b"abc"[..]));
            assert_eq!(parts[1].0.file_name, Some(FileName::Read("a.pdf".to_owned())));
            assert_eq!(parts[1].0.media_type.as_deref(), Some("application/pdf"));
            assert_eq!(&parts[1].1, content, "cut every {frame} bytes");
            assert_eq!(parts[2].1, b"second");
        }
    }
}

#[tokio::test]
async fn a_form_without_its_last_boundary_is_truncated() {
    let mut whole = file("a.pdf", b"content");
    whole.extend(b"--B--");
    for cut in 0..whole.len() - 1 {
        let outcome = read(&whole[..cut], 7).await;
        assert!(matches!(outcome, Err(FormError::Truncated)), "cut at {cut}: {outcome:?}");
    }
    assert_eq!(read(&whole, 7).await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_held_bytes_are_bounded() {
    let endless = vec![b'x'; 10 * LONGEST_HEADER];
    assert!(matches!(read(&endless, 1000).await, Err(FormError::Malformed(_))));
    let mut header = b"--B\r\nX: ".to_vec();
    header.extend(&endless);
    assert!(matches!(read(&header, 1000).await, Err(FormError::Malformed(_))));
}

#[tokio::test]
async fn a_refused_part_is_skipped_up_to_a_limit() {
    let mut body = file("a.pdf", &[b'x'; 5000]);
    body.extend(file("b.pdf", b"second"));
    body.extend(b"--B--");
    let mut short = form(&body, 100);
    short.next_part(0).await.unwrap();
    assert!(matches!(short.next_part(4000).await, Err(FormError::TooMuchToSkip)));
    let mut long = form(&body, 100);
    long.next_part(0).await.unwrap();
    let second = long.next_part(5000).await.unwrap().unwrap();
    assert_eq!(second.file_name, Some(FileName::Read("b.pdf".to_owned())));
}

#[tokio::test]
async fn a_boundary_must_be_alone_on_its_line() {
    let outcome = read(b"--Bx\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n--B--", 50).await;
    assert!(matches!(outcome, Err(FormError::Malformed(_))));
    let padded = read(b"--B \t\r\nContent-Disposition: form-data; name=a\r\n\r\nv\r\n--B--", 50).await;
    assert_eq!(padded.unwrap()[0].1, b"v");
}

#[test]
fn malformed_boundaries_are_refused() {
    assert_eq!(boundary("multipart/form-data; boundary=abc").as_deref(), Some("abc"));
    assert_eq!(boundary("Multipart/Form-Data; charset=x; boundary=\"a b\"").as_deref(), Some("a b"));
    for wrong in [
        "application/json",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/mixed; boundary=a",
    ] {
        assert_eq!(boundary(wrong), None, "{wrong}");
    }
    assert_eq!(boundary(&format!("multipart/form-data; boundary={}", "x".repeat(71))), None);
}
