//! The text of web pages.

mod common;

use common::{detect, extract, extract_as, markdown, text};

#[test]
fn web_pages_are_distinguished_from_other_text() {
    for (file, expected) in [
        ("<!DOCTYPE html><p>x", "text/html"),
        ("<!-- saved -->\n<HTML lang=en>x", "text/html"),
        ("<?xml version=\"1.0\"?>\n<!DOCTYPE html PUBLIC \"x\"><html/>", "text/html"),
        ("<p>one</p>\n<p>two</p>\n", "text/html"),
        ("<p align=center>logo</p>\n\n# A readme\n", "text/plain"),
        ("<?xml version=\"1.0\"?><note>x</note>", "application/xml"),
        ("<svg xmlns=\"http://www.w3.org/2000/svg\"><text>x</text></svg>", "image/svg+xml"),
        ("a < b and b > c", "text/plain"),
    ] {
        assert_eq!(detect(file.as_bytes()), expected, "{file}");
    }
}

const PAGE: &str = "<!DOCTYPE html><html><head><title> The\n title</title><meta name=author content='Zo&euml;'>
<style>p{}</style><script>document.write('<p>no')</script></head><body><h1>Heading <em>one</em></h1>
<p>First   para&shy;graph,&nbsp;with <a href='https://x.example/a'>a link</a>.<br> New line<p>1 &lt; 2 &#8364;&bogus;
<ul><li>one<li>two<ol start=3><li>three<li>four</ol></ul>
<pre>
 kept
   as is</pre>
<table><caption>Sums</caption><tr><th>Name<th>Sum<tr><td>a<td>1<tr><td colspan=2>wide</table>
<img src=x alt='A picture'>
<p hidden>gone<p>seen<div style='display: none'>gone<div>x</div>gone</div><template>gone</template>";

#[test]
fn a_page_reads_as_a_browser_shows_it() {
    let read = extract(PAGE.as_bytes()).unwrap();
    assert_eq!(
        read.pages[0].text,
        "Heading one\nFirst paragraph, with a link.\nNew line\n1 < 2 €&bogus;\n• one\n• two\n  3. three\n  4. four\n \
         kept\n   as is\nSums\nName  Sum\na     1\nwide\nA picture\nseen\n"
    );
    assert_eq!(read.metadata.title.as_deref(), Some("The title"));
    assert_eq!(read.metadata.author.as_deref(), Some("Zoë"));
}

#[test]
fn structure_becomes_markdown() {
    let text = markdown(PAGE.as_bytes());
    for part in [
        "# Heading one\n",
        "[a link](https://x.example/a).  \nNew line",
        "- one\n- two\n  3. three\n  4. four\n",
        "```\n kept\n   as is\n```",
        "| Name | Sum |\n| --- | --- |\n| a | 1 |\n",
    ] {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
}

#[test]
fn layout_tables_are_read_as_paragraphs() {
    let file = "<html><table><tr><td><h1>Mail</h1></td><td>aside</td></tr>\
                <tr><td><table><tr><td>x</td><td>1</td></tr><tr><td>yy</td><td>2</td></tr></table></td></tr></table>";
    assert_eq!(text(file.as_bytes()), "Mail\naside\nx   1\nyy  2");
}

#[test]
fn the_declared_encoding_is_used() {
    let latin =
        b"<html><meta http-equiv=Content-Type content='text/html; charset=iso-8859-2'><p>\xb3\xf3d\xbc";
    assert_eq!(text(latin), "łódź");
    let xhtml =
        b"<?xml version='1.0' encoding='windows-1251'?><html><script/><title/><p>\xec\xe8\xf0</p></html>";
    assert_eq!(text(xhtml), "мир");
    let liar = "<html><meta charset=windows-1252><p>Zürich".as_bytes();
    assert_eq!(text(liar), "Zürich");
    let unsaid = "<html><p>Zürich".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    assert_eq!(text(&unsaid), "Zürich");
}

#[test]
fn drawings_and_fragments_are_read_as_well() {
    assert_eq!(text(b"<svg xmlns='x'><style>a{}</style><text>one</text><text>two</text></svg>"), "one\ntwo");
    let fragment = extract_as(b"a <b>bold</b> word", Some("text/html; charset=utf-8")).unwrap();
    assert_eq!(fragment.pages[0].text, "a bold word\n");
}

#[test]
fn a_tag_may_have_any_number_of_attributes() {
    let attributes = |written: fn(usize) -> String| (0..500_000).map(written).collect::<String>();
    for (what, attributes) in [
        ("in double quotes", attributes(|n| format!(" a{n}=\"1\""))),
        ("in single quotes", attributes(|n| format!(" a{n}='1'"))),
        ("without quotes", attributes(|n| format!(" a{n}=1"))),
        ("without values", attributes(|n| format!(" a{n}"))),
        ("without blanks between them", attributes(|n| format!("a{n}=\"\""))),
        ("one name repeated", attributes(|_| " a=\"1\"".to_owned())),
        ("with references", attributes(|n| format!(" a{n}=\"&lt;1\""))),
    ] {
        let page = format!(
            "<html><p>before<p id=\"x\"{attributes}>first<br class=\"y\"{attributes}>last</html {attributes}> after"
        );
        assert_eq!(text(page.as_bytes()), "before\nfirst\nlast\nafter", "{what}");
    }
    // Values are whole, however many there are before them.
    let links = (0..2000)
        .map(|n| format!("<a title=\"a &amp; b\" href=\"https://x.example/{n}\">{n}</a> "))
        .collect::<String>();
    let expected = (0..2000).map(|n| format!("[{n}](https://x.example/{n})")).collect::<Vec<_>>().join(" ");
    assert_eq!(common::markdown(format!("<html><p>{links}").as_bytes()).trim(), expected);
}

#[test]
fn hostile_pages_terminate() {
    let many = 300_000;
    for (what, file) in [
        ("tables", "<table><tr><td>".repeat(many)),
        ("lists", "<ul><li>".repeat(many)),
        ("entities", "&amp;&nothing;&#x110000;".repeat(many)),
        ("hidden", "<div hidden>".repeat(many)),
        ("comments", "<!--".repeat(many)),
        ("links", "<a href=x>".repeat(many)),
        (
            "spans",
            format!(
                "<table><tr>{}{}",
                "<td rowspan=65534 colspan=20>x".repeat(1000),
                "<tr><td>y".repeat(many)
            ),
        ),
        ("wide spans", "<table><tr><td rowspan=4294967295 colspan=4294967295>x<tr><td>y".repeat(many / 10)),
    ] {
        let outcome = extract_as(format!("<html>{file}").as_bytes(), Some("text/html"));
        assert!(outcome.is_ok(), "{what}: {:?}", outcome.err());
    }
}
