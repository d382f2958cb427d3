//! The part of Tesseract's C API that OCR needs, loaded at run time: everything else works on machines
//! without Tesseract.
//!
//! Invariant: nothing here opens a file after [`Tesseract::load`].

use super::{install, out_of_time};
use crate::images::page_image::Scan;
use dossier_extract::protocol::Failure;
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use std::ffi::{CStr, CString, c_char, c_float, c_int, c_uchar, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;
use std::time::Duration;

/// The library of Tesseract 5; all distributions use this name.
const LIBRARY: &str = "libtesseract.so.5";
/// The data for detecting the orientation of a page.
const ORIENTATION: &str = "osd";
/// `PSM_AUTO`: paragraphs and columns, upright.
const SEGMENT_PAGE: c_int = 3;

type Handle = *mut c_void;
type Monitor = *mut c_void;

/// Declares the functions used here and looks them up.
macro_rules! interface {
    ($($name:ident: $symbol:literal ($($argument:ty),*) $(-> $result:ty)?;)*) => {
        struct Interface {
            $($name: unsafe extern "C" fn($($argument),*) $(-> $result)?,)*
        }

        impl Interface {
            /// # Safety
            /// `library` must be Tesseract 5 and stay loaded.
            unsafe fn find(library: &Library) -> Result<Self, libloading::Error> {
                Ok(Self {
                    // SAFETY: Tesseract 5's header declares these functions with these types.
                    $($name: *unsafe { library.get($symbol.to_bytes_with_nul()) }?,)*
                })
            }
        }
    };
}

interface! {
    create: c"TessBaseAPICreate" () -> Handle;
    init: c"TessBaseAPIInit3" (Handle, *const c_char, *const c_char) -> c_int;
    set_segmentation: c"TessBaseAPISetPageSegMode" (Handle, c_int);
    set_image: c"TessBaseAPISetImage" (Handle, *const c_uchar, c_int, c_int, c_int, c_int);
    set_resolution: c"TessBaseAPISetSourceResolution" (Handle, c_int);
    recognize: c"TessBaseAPIRecognize" (Handle, Monitor) -> c_int;
    orientation: c"TessBaseAPIDetectOrientationScript"
        (Handle, *mut c_int, *mut c_float, *mut *const c_char, *mut c_float) -> c_int;
    text: c"TessBaseAPIGetUTF8Text" (Handle) -> *mut c_char;
    delete_text: c"TessDeleteText" (*mut c_char);
    confidences: c"TessBaseAPIAllWordConfidences" (Handle) -> *mut c_int;
    delete_confidences: c"TessDeleteIntArray" (*mut c_int);
    clear: c"TessBaseAPIClear" (Handle);
    new_monitor: c"TessMonitorCreate" () -> Monitor;
    delete_monitor: c"TessMonitorDelete" (Monitor);
    set_deadline: c"TessMonitorSetDeadlineMSecs" (Monitor, c_int);
}

/// Tesseract with its data. It lives as long as the process.
pub struct Tesseract {
    interface: Interface,
    /// Recognises words.
    reader: Handle,
    /// Detects the orientation, if the data for it is installed.
    orienter: Option<Handle>,
    /// What the operator should know about every page.
    pub(super) notice: Option<String>,
}

// SAFETY: Tesseract keeps no thread-local state. A handle may be used from any thread, one at a time, and
// this type neither copies its handles nor gives them away.
unsafe impl Send for Tesseract {}

/// The text of a page.
#[derive(Debug, Default)]
pub(super) struct Words {
    pub(super) text: String,
    /// The mean confidence of its words, 0 to 1; `None` without words.
    pub(super) confidence: Option<f32>,
}

impl Tesseract {
    /// Loads the library and the data of `languages` from `folder`. The error names what is missing.
    pub(super) fn load(folder: &Path, languages: &str) -> Result<Self, String> {
        // SAFETY: the process is still single-threaded, so no other thread can read the environment.
        unsafe { std::env::set_var("OMP_THREAD_LIMIT", "1") };
        // SAFETY: the library that the operator installed as Tesseract is trusted.
        let library = unsafe { Library::open(Some(LIBRARY), RTLD_NOW | RTLD_LOCAL) };
        let library = library.map_err(|_| format!("{LIBRARY} not found"))?;
        // SAFETY: by its name it is Tesseract 5, and it is never unloaded (see below).
        let interface = unsafe { Interface::find(&library) }.map_err(|error| error.to_string())?;
        std::mem::forget(library);
        let reader = interface.open(folder, languages)?;
        // SAFETY: this library just created the handle.
        unsafe { (interface.set_segmentation)(reader, SEGMENT_PAGE) };
        let orienter = install::data(folder, ORIENTATION)
            .is_file()
            .then(|| interface.open(folder, ORIENTATION).ok())
            .flatten();
        Ok(Self { interface, reader, orienter, notice: None })
    }

    /// The words of a page, if recognition finishes in this time.
    pub(super) fn read(&mut self, scan: &Scan, time: Duration) -> Result<Words, Failure> {
        let api = &self.interface;
        api.show(self.reader, scan)?;
        // SAFETY: the handle is valid, an image is set, and the monitor outlives the call.
        let status = unsafe {
            let monitor = (api.new_monitor)();
            (api.set_deadline)(monitor, c_int::try_from(time.as_millis()).unwrap_or(c_int::MAX));
            let status = (api.recognize)(self.reader, monitor);
            (api.delete_monitor)(monitor);
            status
        };
        let words = if status == 0 {
            let text = api.text_of(self.reader);
            // An empty block counts as a word.
            let is_blank = text.trim().is_empty();
            Ok(Words { confidence: api.confidence_of(self.reader).filter(|_| !is_blank), text })
        } else {
            Err(out_of_time())
        };
        // SAFETY: the handle is valid, and its image and results are no longer used.
        unsafe { (api.clear)(self.reader) };
        words
    }

    /// By how many degrees the page must be rotated clockwise to be upright; `None` if that cannot be
    /// determined.
    pub(super) fn orientation(&mut self, scan: &Scan) -> Option<u32> {
        let orienter = self.orienter?;
        self.interface.show(orienter, scan).ok()?;
        let (mut degrees, mut certainty, mut script_certainty) = (0, 0.0, 0.0);
        let mut script = ptr::null();
        // SAFETY: the handle is valid, an image is set, and the four output variables outlive the call.
        let found = unsafe {
            let found = (self.interface.orientation)(
                orienter,
                &raw mut degrees,
                &raw mut certainty,
                &raw mut script,
                &raw mut script_certainty,
            );
            (self.interface.clear)(orienter);
            found
        };
        // Tesseract returns how far the page is rotated.
        (found != 0).then_some(u32::try_from(360 - degrees).ok()? % 360)
    }
}

impl Interface {
    fn open(&self, folder: &Path, languages: &str) -> Result<Handle, String> {
        let path = CString::new(folder.as_os_str().as_bytes()).map_err(|error| error.to_string())?;
        let languages = CString::new(languages).map_err(|error| error.to_string())?;
        // SAFETY: both strings outlive the call, which copies them.
        let (handle, status) = unsafe {
            let handle = (self.create)();
            (handle, (self.init)(handle, path.as_ptr(), languages.as_ptr()))
        };
        if status == 0 {
            Ok(handle)
        } else {
            Err(format!("the language data in {} cannot be loaded", folder.display()))
        }
    }

    /// Passes a page to Tesseract, which copies it.
    fn show(&self, handle: Handle, scan: &Scan) -> Result<(), Failure> {
        let (width, height) = scan.image.dimensions();
        let (Ok(width), Ok(height)) = (c_int::try_from(width), c_int::try_from(height)) else {
            return Err(crate::images::image_file::too_large());
        };
        // SAFETY: the pixels are `height` rows of `width` bytes, one byte per pixel.
        unsafe { (self.set_image)(handle, scan.image.as_ptr(), width, height, 1, width) };
        if let Some(resolution) = scan.resolution.and_then(|dpi| c_int::try_from(dpi).ok()) {
            // SAFETY: the handle is valid, and an image is set.
            unsafe { (self.set_resolution)(handle, resolution) };
        }
        Ok(())
    }

    fn text_of(&self, handle: Handle) -> String {
        // SAFETY: the page has been recognised; the text is a C string that we own and must delete.
        unsafe {
            let text = (self.text)(handle);
            if text.is_null() {
                return String::new();
            }
            let owned = CStr::from_ptr(text).to_string_lossy().into_owned();
            (self.delete_text)(text);
            owned
        }
    }

    /// The mean over all words, if any.
    fn confidence_of(&self, handle: Handle) -> Option<f32> {
        let (mut sum, mut count) = (0, 0_u16);
        // SAFETY: the page has been recognised; the array ends at its first negative number, and we own it
        // and must delete it.
        unsafe {
            let words = (self.confidences)(handle);
            if words.is_null() {
                return None;
            }
            let mut next = words;
            while *next >= 0 && count < u16::MAX {
                (sum, count) = (sum + *next, count + 1);
                next = next.add(1);
            }
            (self.delete_confidences)(words);
        }
        (count > 0).then(|| (sum as f32 / f32::from(count) / 100.0).clamp(0.0, 1.0))
    }
}
