//! Decompresses RTF that is stored in messages (MS-OXRTFCP).
//!
//! Invariant: two bytes become at most 17, so that the text is at most nine times as long as the bytes.

/// What the window begins with: words that most RTF has.
const WINDOW: &[u8] =
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \
\\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \
\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
const WINDOW_BYTES: usize = 4096;
const COMPRESSED: &[u8; 4] = b"LZFu";
const STORED: &[u8; 4] = b"MELA";
/// Sizes, the kind and a checksum precede the text.
const HEADER_BYTES: usize = 16;

/// The RTF; `None` if the bytes are neither compressed nor stored RTF.
pub(super) fn decompressed(bytes: &[u8]) -> Option<Vec<u8>> {
    let (header, body) = bytes.split_first_chunk::<HEADER_BYTES>()?;
    let length = u32::from_le_bytes(*header[4..].first_chunk()?);
    let mut rtf = match header[8..].first_chunk::<4>()? {
        COMPRESSED => inflated(body),
        STORED => body.to_vec(),
        _ => return None,
    };
    rtf.truncate(usize::try_from(length).ok()?);
    Some(rtf)
}

fn inflated(mut rest: &[u8]) -> Vec<u8> {
    let mut window = [b' '; WINDOW_BYTES];
    window[..WINDOW.len()].copy_from_slice(WINDOW);
    let mut end = WINDOW.len();
    let mut rtf = Vec::new();
    let mut put = |window: &mut [u8; WINDOW_BYTES], end: &mut usize, byte| {
        window[*end] = byte;
        *end = (*end + 1) % WINDOW_BYTES;
        rtf.push(byte);
    };
    while let Some((&kinds, after)) = rest.split_first() {
        rest = after;
        for place in 0..8 {
            if kinds >> place & 1 == 0 {
                let Some((&byte, after)) = rest.split_first() else { return rtf };
                rest = after;
                put(&mut window, &mut end, byte);
                continue;
            }
            let Some((reference, after)) = rest.split_first_chunk() else { return rtf };
            rest = after;
            let reference = usize::from(u16::from_be_bytes(*reference));
            let start = reference >> 4;
            // A reference to the end of the window is the end of the text.
            if start == end {
                return rtf;
            }
            for at in start..start + (reference & 0xf) + 2 {
                let byte = window[at % WINDOW_BYTES];
                put(&mut window, &mut end, byte);
            }
        }
    }
    rtf
}
