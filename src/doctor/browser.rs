//! The page for the browser: whether noVNC is there, and whether those who are to use it can log in.

use super::{Examination, finding::Verdict};

pub(super) fn browser(examination: &Examination<'_>) -> Verdict {
    let config = match examination.config() {
        Ok(config) => config,
        Err(skipped) => return skipped,
    };
    let web = &config.web;
    if web.listen.is_empty() {
        return Verdict::ok("no page is served: [web] has no `listen`");
    }
    let places = web.novnc_places();
    let is_there = |place: &&std::path::PathBuf| examination.machine.has(place.join("core/rfb.js"));
    let Some(place) = places.iter().find(is_there) else {
        let names: Vec<_> = places
            .iter()
            .map(|place| place.display().to_string())
            .collect();
        return Verdict::warning(
            format!(
                "the page shows no screen: noVNC is not in {}",
                names.join(", ")
            ),
            "sudo apt install novnc; or sudo npm install --global @novnc/novnc; or name its directory in `novnc` of [web]",
        );
    };
    let elsewhere = web
        .listen
        .iter()
        .find(|address| !address.ip().to_canonical().is_loopback());
    if let (Some(address), Some(_), None) = (
        elsewhere,
        &config.security.users,
        &config.security.certificate,
    ) {
        return Verdict::warning(
            format!(
                "users cannot log in at {address} from other machines: their passwords could be read on HTTP"
            ),
            "sudo rfbridge cert makes a certificate for HTTPS, and says what to write into the configuration",
        );
    }
    Verdict::ok(format!("the page is shown by {}", place.display()))
}
