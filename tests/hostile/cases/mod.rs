//! The attacks, by subject.

mod floods;
mod handshake;
mod input;
mod messages;
mod noise;
mod readers;
mod rsa_aes;
mod vencrypt;
mod web;

use crate::attack::Attack;

pub struct Case {
    pub name: &'static str,
    /// Panics if the server does not answer as it should.
    pub run: fn(&Attack<'_>),
    /// It waits for deadlines of the server.
    pub only_in_full: bool,
}

const fn case(name: &'static str, run: fn(&Attack<'_>)) -> Case {
    Case {
        name,
        run,
        only_in_full: false,
    }
}

const fn slow(name: &'static str, run: fn(&Attack<'_>)) -> Case {
    Case {
        name,
        run,
        only_in_full: true,
    }
}

pub const ALL: &[Case] = &[
    case(
        "check_08_types_that_were_not_offered",
        handshake::not_offered,
    ),
    case(
        "check_08_subtypes_that_were_not_offered",
        vencrypt::not_offered,
    ),
    case("check_09_wrong_passwords", handshake::wrong_passwords),
    case("check_11_replayed_answers", handshake::replayed),
    case("check_12_everything_at_once", handshake::pipelined),
    case("check_13_guessing", handshake::guessing),
    case("check_14_bytes_ahead_of_tls", vencrypt::ahead),
    case("check_15_broken_tls_handshakes", vencrypt::broken),
    case("check_16_plain_lengths", vencrypt::plain_lengths),
    case("check_28_unknown_messages", messages::unknown),
    case("check_29_endless_encodings", messages::encodings),
    case("check_41_impossible_pixel_formats", messages::pixel_formats),
    case("check_46_fences_of_all_lengths", messages::fences),
    case("check_49_desktop_sizes", messages::desktop_sizes),
    case(
        "check_64_leaving_with_keys_down",
        input::leaving_with_keys_down,
    ),
    case("check_65_torrents_of_input", input::torrents),
    case("check_67_cut_text_lengths", messages::cut_text),
    case("check_67_clipboard_bombs", messages::clipboard_bombs),
    case("check_68_clients_that_do_not_read", readers::stalled),
    slow(
        "check_68_clients_that_do_not_read_are_dropped",
        readers::dropped,
    ),
    case(
        "check_68_answers_that_nobody_reads",
        readers::unread_answers,
    ),
    case("check_69_idle_strangers", floods::idle),
    slow("check_69_slow_lorises", floods::slow_lorises),
    case("check_70_leaving_at_every_byte", floods::leaving),
    case("check_71_messages_cut_at_every_byte", noise::cut),
    case("check_71_damaged_messages", noise::damaged),
    case("rsa_aes_impossible_keys", rsa_aes::impossible_keys),
    case("rsa_aes_wrong_hashes", rsa_aes::wrong_hashes),
    case("rsa_aes_messages_cut", rsa_aes::cut),
    case("rsa_aes_replayed_messages", rsa_aes::replayed),
    case("web_requests_cut_at_every_byte", web::cut),
    case("web_damaged_requests", web::damaged),
    case("check_69_web_idle_connections", web::idle),
    case("web_wrong_passwords", web::wrong_passwords),
    case("check_72_damaged_frames", web::damaged_frames),
    case("check_68_web_clients_that_do_not_read", web::stalled),
    case("flood_from_one_address", floods::from_one_address),
    case("flood_from_many_addresses", floods::from_many_addresses),
];
