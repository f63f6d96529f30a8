//! The kernel takes a structure's size as part of an ioctl's number, so a wrong size is an ioctl
//! that does not exist. The figures are those of a C compiler on each architecture.

use std::mem::{offset_of, size_of};

use v4l2_sys_mit::*;

/// The size on a 64-bit or on a 32-bit machine.
const fn bits(size64: usize, size32: usize) -> usize {
    if cfg!(target_pointer_width = "64") {
        size64
    } else {
        size32
    }
}

#[test]
fn structures_that_hold_no_c_type_have_one_size_everywhere() {
    assert_eq!(size_of::<v4l2_capability>(), 104);
    assert_eq!(size_of::<v4l2_fmtdesc>(), 64);
    assert_eq!(size_of::<v4l2_pix_format>(), 48);
    assert_eq!(size_of::<v4l2_frmsizeenum>(), 44);
    assert_eq!(size_of::<v4l2_frmivalenum>(), 52);
    assert_eq!(size_of::<v4l2_requestbuffers>(), 20);
    assert_eq!(size_of::<v4l2_streamparm>(), 204);
    assert_eq!(size_of::<v4l2_dv_timings>(), 132);
}

#[test]
fn structures_that_hold_a_pointer_or_a_time_have_the_architecture_s_size() {
    assert_eq!(size_of::<v4l2_buffer>(), bits(88, 68));
    assert_eq!(size_of::<v4l2_format>(), bits(208, 204));
    assert_eq!(size_of::<v4l2_event>(), bits(136, 128));
    assert_eq!(size_of::<v4l2_edid>(), bits(40, 36));
}

#[test]
fn the_fields_that_every_frame_needs_are_where_the_kernel_has_them() {
    assert_eq!(offset_of!(v4l2_buffer, bytesused), 8);
    assert_eq!(offset_of!(v4l2_buffer, flags), 12);
    assert_eq!(offset_of!(v4l2_buffer, timestamp), bits(24, 20));
    assert_eq!(offset_of!(v4l2_buffer, m), bits(64, 52));
    assert_eq!(offset_of!(v4l2_format, fmt), bits(8, 4));
    assert_eq!(offset_of!(v4l2_pix_format, bytesperline), 16);
    assert_eq!(offset_of!(v4l2_pix_format, quantization), 40);
}
