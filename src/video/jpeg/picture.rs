//! JPEGs as frames: what changed is told by their coded data, and nothing is decoded unless pixels are asked for.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;
use rfb::{
    frame::{Compressed, Damaged, Picture, Pixel, TILE, Tile, Tiles, cut, tile_count, tile_rect},
    geom::{Rect, Size},
};

use super::{
    Jpeg, JpegDecoder,
    header::Sampling,
    scan::{Scan, Tolerance},
};
use crate::video::BadPicture;

/// Told of each picture that turned out to be damaged when somebody looked into it.
pub type DamageReport = Arc<dyn Fn(&BadPicture) + Send + Sync>;

/// What the pictures of one source have in common.
pub struct Stream {
    decoders: Mutex<Vec<Box<dyn JpegDecoder>>>,
    make_decoder: fn() -> Box<dyn JpegDecoder>,
    report: DamageReport,
    last: Mutex<Last>,
}

/// The picture that was looked at last, and what may be taken for unchanged.
struct Last {
    walked: Option<Walked>,
    tolerance: Tolerance,
}

/// A picture that was looked into: its scan and the tiles with the scan's ids, or decoded tiles.
#[derive(Clone)]
struct Walked {
    scan: Option<Arc<Scan>>,
    tiles: Arc<[Arc<Tile>]>,
}

impl Stream {
    /// Levels may be off by `tolerance` and count as equal.
    pub fn new(decoder: Box<dyn JpegDecoder>, tolerance: u8, report: DamageReport) -> Self {
        Self {
            decoders: Mutex::new(vec![decoder]),
            make_decoder: super::decoder,
            report,
            last: Mutex::new(Last {
                walked: None,
                tolerance: Tolerance::new(tolerance),
            }),
        }
    }

    /// Uses a decoder that nobody else uses meanwhile.
    fn with_decoder<T>(
        &self,
        work: impl FnOnce(&mut dyn JpegDecoder) -> Result<T, BadPicture>,
    ) -> Result<T, BadPicture> {
        let idle = lock(&self.decoders).pop();
        let mut decoder = idle.unwrap_or_else(self.make_decoder);
        let result = work(decoder.as_mut());
        lock(&self.decoders).push(decoder);
        result
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One picture.
pub struct JpegPicture {
    jpeg: Jpeg,
    stream: Arc<Stream>,
    walked: OnceLock<Result<Walked, Damaged>>,
}

impl JpegPicture {
    pub fn new(jpeg: Jpeg, stream: Arc<Stream>) -> Self {
        Self {
            jpeg,
            stream,
            walked: OnceLock::new(),
        }
    }

    fn walked(&self) -> Result<&Walked, Damaged> {
        self.walked
            .get_or_init(|| {
                self.walk().map_err(|reason| {
                    (self.stream.report)(&reason);
                    Damaged(reason.to_string())
                })
            })
            .as_ref()
            .map_err(Damaged::clone)
    }

    fn walk(&self) -> Result<Walked, BadPicture> {
        // Pictures are looked into one after the other: each knows what the one before has found.
        let mut last = lock(&self.stream.last);
        let known = last.walked.clone();
        let known = known.as_ref();
        let walked = if self.jpeg.is_for_clients() {
            let before = known.and_then(|known| known.scan.as_deref());
            let mut scan = Scan::walk(&self.jpeg, before)?;
            last.tolerance.settle(&mut scan);
            let tiles = tiles(&scan, known.map(|known| &known.tiles[..]));
            Walked {
                scan: Some(Arc::new(scan)),
                tiles,
            }
        } else {
            Walked {
                scan: None,
                tiles: self.decoded(known.map(|known| &known.tiles[..]))?,
            }
        };
        last.walked = Some(walked.clone());
        Ok(walked)
    }

    /// The tiles of a kind of JPEG that cannot be told by its coded data.
    fn decoded(&self, known: Option<&[Arc<Tile>]>) -> Result<Arc<[Arc<Tile>]>, BadPicture> {
        let size = self.jpeg.size;
        let mut bgrx = vec![0; size.area() * 4];
        self.stream
            .with_decoder(|decoder| decoder.decode(&self.jpeg, &mut bgrx))?;
        let known = known.filter(|known| known.len() == tile_count(size));
        Ok(cut(size, &bgrx, usize::from(size.width) * 4, known).into_tiles())
    }

    fn scan(&self) -> Result<&Scan, Damaged> {
        let none = || Damaged("its coded data were not looked at".to_owned());
        self.walked()?.scan.as_deref().ok_or_else(none)
    }
}

/// The tiles of a picture, those that are the same shared with `known`.
fn tiles(scan: &Scan, known: Option<&[Arc<Tile>]>) -> Arc<[Arc<Tile>]> {
    let (size, mcu) = (scan.size(), scan.mcu());
    let (columns, _) = scan.grid();
    let all = scan.ids();
    let tile = |index: usize| {
        let place = tile_rect(size, index);
        let left = usize::from(place.x / mcu.width);
        let top = usize::from(place.y / mcu.height);
        let width = usize::from(place.width.div_ceil(mcu.width));
        let height = usize::from(place.height.div_ceil(mcu.height));
        let rows = (top..top + height).map(|row| &all[row * columns + left..][..width]);
        let old = known
            .and_then(|known| known.get(index))
            .filter(|old| old.size() == place.size());
        if let Some(old) = old
            && let Some((cell, ids)) = old.cells()
            && cell == mcu
            && rows
                .clone()
                .zip(ids.chunks(width))
                .all(|(new, old)| new == old)
        {
            return Arc::clone(old);
        }
        let mut ids = Vec::with_capacity(width * height);
        rows.for_each(|row| ids.extend_from_slice(row));
        Arc::new(Tile::of_cells(place.size(), mcu, ids.into_boxed_slice()))
    };
    debug_assert!(TILE.is_multiple_of(mcu.width) && TILE.is_multiple_of(mcu.height));
    (0..tile_count(size)).map(tile).collect()
}

impl Picture for JpegPicture {
    fn size(&self) -> Size {
        self.jpeg.size
    }

    fn tiles(&self) -> Result<&[Arc<Tile>], Damaged> {
        Ok(&self.walked()?.tiles)
    }

    fn pixels(&self, rect: Rect) -> Result<Vec<Pixel>, Damaged> {
        let walked = self.walked()?;
        match &walked.scan {
            Some(scan) => self
                .stream
                .with_decoder(|decoder| scan.decode(rect, decoder))
                .map_err(|reason| Damaged(reason.to_string())),
            None => Tiles::new(self.jpeg.size, Arc::clone(&walked.tiles)).pixels(rect),
        }
    }

    fn compressed(&self) -> Option<&dyn Compressed> {
        self.jpeg.is_for_clients().then_some(self)
    }
}

impl Compressed for JpegPicture {
    fn whole(&self) -> &Bytes {
        &self.jpeg.bytes
    }

    fn mcu(&self) -> Size {
        match self.jpeg.sampling {
            Sampling::S422 => Size::new(16, 8),
            Sampling::S420 => Size::new(16, 16),
            Sampling::Grey | Sampling::S444 | Sampling::Other => Size::new(8, 8),
        }
    }

    fn bleed(&self) -> Size {
        match self.jpeg.sampling {
            Sampling::S422 => Size::new(1, 0),
            Sampling::S420 => Size::new(1, 1),
            Sampling::Grey | Sampling::S444 | Sampling::Other => Size::new(0, 0),
        }
    }

    fn weight(&self, rect: Rect) -> Result<usize, Damaged> {
        let scan = self.scan()?;
        Ok(scan.bits(in_mcus(rect, self.mcu())) / 8)
    }

    fn splice(&self, rect: Rect, out: &mut Vec<u8>) -> Result<(), Damaged> {
        self.scan()?.splice(in_mcus(rect, self.mcu()), out);
        Ok(())
    }
}

/// The MCUs that `rect` touches.
fn in_mcus(rect: Rect, mcu: Size) -> Rect {
    let (width, height) = (u32::from(mcu.width), u32::from(mcu.height));
    Rect::from_edges(
        u32::from(rect.x) / width,
        u32::from(rect.y) / height,
        rect.right().div_ceil(width),
        rect.bottom().div_ceil(height),
    )
}
