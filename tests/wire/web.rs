//! HTTP: the page, and what programs fetch; who may, and what they get.

use rfb::geom::Size;

use crate::input::{RELEASED, presses};
use crate::server::{self, Server, still_source};
use crate::viewer::{
    Socket,
    web::{Answer, ask, ask_over, basic},
};

const WEB: [&str; 2] = ["--web-listen", "127.0.0.1:0"];

fn demo() -> Server {
    Server::start(&[&["demo"][..], &WEB].concat())
}

fn get(server: &Server, path: &str, headers: &[&str]) -> Answer {
    ask(server.web(), &format!("GET {path}"), headers, &[])
}

fn still(size: Size) -> Server {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let source = still_source(dir.path(), size);
    let arguments = ["serve", "--source", &source, "--sink", "null"];
    let server = Server::start_in(dir, &[&arguments[..], &WEB].concat());
    server.wait_for("the picture", |server| {
        (get(server, "/healthz", &[]).status == 200).then_some(())
    });
    server
}

/// With the users alice, who may all, and bob, who may look.
fn house() -> Server {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let users = dir.path().join("users");
    server::user(&users, &["add", "alice", "--role", "admin"], "swordfish");
    server::user(&users, &["add", "bob", "--role", "view"], "octopus!!");
    let [certificate, key] = server::certificate(dir.path());
    let named = format!("--security-users={}", users.display());
    let arguments = ["demo", &named, &certificate, &key, "--web-open", "healthz"];
    Server::start_in(dir, &[&arguments[..], &WEB].concat())
}

#[test]
fn the_page_and_its_parts_are_there_for_everybody_and_say_what_is_asked_for() {
    let server = house();
    for (path, kind) in [
        ("/", "text/html; charset=utf-8"),
        ("/app.js", "text/javascript; charset=utf-8"),
        ("/connection.js", "text/javascript; charset=utf-8"),
        ("/login.js", "text/javascript; charset=utf-8"),
        ("/tools.js", "text/javascript; charset=utf-8"),
        ("/style.css", "text/css; charset=utf-8"),
        ("/icon.svg", "image/svg+xml"),
    ] {
        let answer = get(&server, path, &[]);
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("content-type"), Some(kind));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    }
    let policy = get(&server, "/", &[]);
    let policy = policy.header("content-security-policy").expect("a policy");
    assert!(policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"));
    let page = get(&server, "/page.json", &[]).text();
    assert!(
        page.starts_with(r#"{"name":true,"password":true,"refused":null,"tools":true,"#),
        "{page}"
    );
    let open = get(&demo(), "/page.json", &[]).text();
    assert!(
        open.starts_with(r#"{"name":false,"password":false,"#),
        "{open}"
    );
    assert_eq!(get(&server, "/nothing", &[]).status, 404);
    let answer = ask(server.web(), "DELETE /", &[], &[]);
    assert_eq!(
        (answer.status, answer.header("allow")),
        (405, Some("GET, HEAD"))
    );
    assert_eq!(get(&server, "/type", &[]).header("allow"), Some("POST"));
}

#[test]
fn novnc_is_served_from_where_it_is_and_the_page_is_told_where_it_is_not() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let novnc = dir.path().join("novnc");
    let flag = format!("--web-novnc={}", novnc.display());
    let server = Server::start_in(dir, &[&["demo", &flag][..], &WEB].concat());
    let page = get(&server, "/page.json", &[]).text();
    assert!(
        page.contains(&format!(r#""missing":["{}"]"#, novnc.display())),
        "{page}"
    );
    assert_eq!(get(&server, "/novnc/core/rfb.js", &[]).status, 404);
    std::fs::create_dir_all(novnc.join("core")).expect("directories");
    std::fs::write(novnc.join("core/rfb.js"), "export default 1;").expect("a file");
    assert!(
        get(&server, "/page.json", &[])
            .text()
            .contains(r#""missing":[]"#)
    );
    assert_eq!(
        get(&server, "/novnc/core/rfb.js", &[]).text(),
        "export default 1;"
    );
    assert_eq!(get(&server, "/novnc/../server.rs", &[]).status, 404);
}

#[test]
fn without_a_password_only_names_of_this_machine_are_served() {
    let server = demo();
    for (host, status) in [
        ("localhost:5800", 200),
        ("[::1]:5800", 200),
        ("rebound.example:5800", 403),
        ("", 403),
    ] {
        let host = format!("Host: {host}");
        assert_eq!(get(&server, "/status", &[&host]).status, status, "{host}");
    }
    // Where there is one, it says enough.
    assert_eq!(get(&house(), "/", &["Host: kvm.example"]).status, 200);
}

#[test]
fn what_is_fetched_asks_for_a_login_and_the_role_says_what_may_be_done() {
    let server = house();
    assert_eq!(get(&server, "/healthz", &[]).status, 200, "it is open");
    let answer = get(&server, "/status", &[]);
    assert_eq!(answer.status, 401);
    let asks = answer.header("www-authenticate").expect("a question");
    assert!(asks.starts_with("Basic realm="), "{asks}");
    let quiet = get(&server, "/status", &["X-Requested-With: rfbridge"]);
    assert_eq!(
        (quiet.status, quiet.header("www-authenticate")),
        (401, None)
    );

    let [alice, bob] = ["alice:swordfish", "bob:octopus!!"].map(basic);
    for path in [
        "/status",
        "/clients",
        "/snapshot.jpg",
        "/snapshot.png",
        "/settled?for=1ms",
    ] {
        assert_eq!(get(&server, path, &[]).status, 401, "{path}");
        assert_eq!(get(&server, path, &[&bob]).status, 200, "{path}");
    }
    let typed = ask(server.web(), "POST /type", &[&bob], b"x");
    assert_eq!(typed.status, 403, "{}", typed.text());
    assert_eq!(ask(server.web(), "POST /type", &[&alice], b"x").status, 200);

    for wrong in ["alice:octopus!!", "carol:swordfish", ":swordfish"] {
        assert_eq!(
            get(&server, "/status", &[&basic(wrong)]).status,
            401,
            "{wrong}"
        );
    }
    let log = server.log();
    let failed = "security=\"Basic\" reason=\"Wrong user name or password.\" user=\"alice\"";
    assert!(
        log.contains("login failed") && log.contains(failed),
        "{log}"
    );
    // It is hashed once, not for each of these.
    let logins = log.matches("logged in").count();
    assert_eq!(logins, 2, "{log}");
}

#[test]
fn a_login_that_was_remembered_ends_with_the_user() {
    let server = house();
    let bob = basic("bob:octopus!!");
    assert_eq!(get(&server, "/status", &[&bob]).status, 200);
    server::user(&server.dir.path().join("users"), &["remove", "bob"], "");
    let reload = crate::sessions::ctl(&server, &["reload"]);
    assert_eq!(reload.0, 0, "{reload:?}");
    assert_eq!(get(&server, "/status", &[&bob]).status, 401);
}

#[test]
fn many_wrong_passwords_make_an_address_wait() {
    let server = house();
    let wrong = basic("alice:wrong");
    let mut socket = Socket::connect(server.web());
    for _ in 0..5 {
        assert_eq!(
            ask_over(&mut socket, "GET /status", &[&wrong], &[]).status,
            401
        );
    }
    let mut waiting: Vec<_> = (0..40).map(|_| Socket::connect(server.web())).collect();
    for socket in &mut waiting {
        let request = format!("GET /status HTTP/1.1\r\nHost: x\r\n{wrong}\r\n\r\n");
        socket.send(request.as_bytes());
    }
    let late = server.wait_for("one that has to come back", |_| {
        waiting.iter().position(|Socket(stream)| {
            let mut start = [0; 12];
            stream.set_nonblocking(true).expect("an option");
            matches!(stream.peek(&mut start), Ok(12)) && start == *b"HTTP/1.1 429"
        })
    });
    let late = &mut waiting[late];
    late.0.set_nonblocking(false).expect("an option");
    let answer = crate::viewer::web::read_answer(late, false);
    let seconds = answer.header("retry-after").map(str::parse::<u64>);
    assert!(
        seconds.is_some_and(|s| s.is_ok_and(|s| s > 0)),
        "{answer:?}"
    );
}

#[test]
fn another_page_cannot_type() {
    let server = demo();
    let answer = ask(
        server.web(),
        "POST /type",
        &["Origin: http://evil.example"],
        b"x",
    );
    assert_eq!(answer.status, 403);
    assert!(server.keyboard().is_empty());
}

#[test]
fn a_text_is_typed_to_its_end_or_refused_with_the_reason() {
    let server = demo();
    let answer = ask(server.web(), "POST /type", &[], b"Hi");
    assert_eq!(answer.text(), r#"{"typed":2,"of":2,"done":true}"#);
    assert_eq!(presses(&server.keyboard()), [(2, 0x0b), (0, 0x0c)]);
    assert_eq!(server.keyboard().last().map(String::as_str), Some(RELEASED));
    let before = server.keyboard().len();
    let answer = ask(server.web(), "POST /type", &[], "a→b".as_bytes());
    assert_eq!(answer.status, 422);
    assert!(
        answer
            .text()
            .contains(r#""character":"→","count":1,"line":1,"column":2"#),
        "{}",
        answer.text()
    );
    assert_eq!(ask(server.web(), "POST /type", &[], &[0xff]).status, 400);
    assert_eq!(server.keyboard().len(), before);
    let answer = ask(server.web(), "POST /type?skip=true", &[], "a→b".as_bytes());
    assert_eq!(answer.text(), r#"{"typed":2,"of":2,"done":true}"#);
    let long = vec![b'x'; 2 * 1024 * 1024];
    let mut socket = Socket::connect(server.web());
    let head = format!(
        "POST /type HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n",
        long.len()
    );
    socket.send(head.as_bytes());
    // It says so before it has all of it.
    let _ = std::io::Write::write_all(&mut socket.0, &long);
    assert_eq!(
        crate::viewer::web::read_answer(&mut socket, false).status,
        413
    );
}

#[test]
fn a_snapshot_is_the_screen_to_the_last_pixel() {
    let size = Size::new(200, 120);
    let server = still(size);
    let answer = get(&server, "/snapshot.png", &[]);
    assert_eq!(answer.header("content-type"), Some("image/png"));
    assert_eq!(answer.header("rfbridge-picture"), Some("live"));
    let mut reader = png::Decoder::new(std::io::Cursor::new(&answer.body))
        .read_info()
        .expect("a PNG");
    let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
    reader.next_frame(&mut pixels).expect("its pixels");
    assert!(pixels == server::picture(size).as_flattened());
    let jpeg = get(&server, "/snapshot.jpg", &[]);
    assert!(jpeg.body.starts_with(&[0xff, 0xd8]) && jpeg.body.ends_with(&[0xff, 0xd9]));
    let head = ask(server.web(), "HEAD /snapshot.png", &[], &[]);
    assert_eq!(
        (head.status, head.header("etag")),
        (200, answer.header("etag"))
    );

    let tag = format!("If-None-Match: {}", answer.header("etag").expect("a tag"));
    assert_eq!(get(&server, "/snapshot.png", &[&tag]).status, 304);
    let waited = get(&server, "/snapshot.png?wait=change&timeout=10ms", &[]);
    assert_eq!(waited.status, 304, "nothing changes");
    assert_eq!(get(&server, "/snapshot.png?wait=long", &[]).status, 400);
    assert_eq!(get(&server, "/snapshot.png?timeout=1h", &[]).status, 400);
}

/// Of a dongle that compresses: its own bytes.
#[test]
fn a_jpeg_is_given_as_it_was_captured() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/fixtures/screens/firmware.mjpeg"
    );
    let source = format!("replay:{file}");
    let arguments = ["serve", "--source", &source, "--sink", "null"];
    let server = Server::start_in(dir, &[&arguments[..], &WEB].concat());
    let recorded = std::fs::read(file).expect("a recording");
    let jpeg = server.wait_for("a picture", |server| {
        let answer = get(server, "/snapshot.jpg", &[]);
        (answer.header("rfbridge-picture") == Some("live")).then_some(answer.body)
    });
    // Between SOI and EOI nothing is changed but what a client must have.
    let scan = &jpeg[jpeg.len() / 2..];
    assert!(recorded.windows(scan.len()).any(|part| part == scan));
}

#[test]
fn a_change_is_waited_for() {
    let server = demo();
    let before = get(&server, "/snapshot.png", &[]);
    let tag = format!("If-None-Match: {}", before.header("etag").expect("a tag"));
    let mut waiting = Socket::connect(server.web());
    let request =
        format!("GET /snapshot.png?wait=change HTTP/1.1\r\nHost: localhost\r\n{tag}\r\n\r\n");
    waiting.send(request.as_bytes());
    assert_eq!(ask(server.web(), "POST /type", &[], b"x").status, 200);
    let after = crate::viewer::web::read_answer(&mut waiting, false);
    assert_eq!(after.status, 200);
    assert_ne!(after.header("etag"), before.header("etag"));
}

#[test]
fn a_picture_that_rests_has_settled_and_one_that_moves_has_not() {
    let server = still(Size::new(200, 120));
    let settled = get(&server, "/settled?for=50ms", &[]);
    assert!(
        settled
            .text()
            .starts_with(r#"{"settled":true,"rested_ms":"#),
        "{}",
        settled.text()
    );
    let impatient = get(&server, "/settled?for=10s&timeout=20ms", &[]);
    assert_eq!(impatient.status, 504);
    for bad in ["for=x", "for=601s", "ignore=16", "timeout=-1s"] {
        assert_eq!(
            get(&server, &format!("/settled?{bad}"), &[]).status,
            400,
            "{bad}"
        );
    }
}

#[test]
fn health_says_whether_there_is_a_picture() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let arguments = [
        "serve",
        "--source",
        "v4l:/dev/no-such-camera",
        "--sink",
        "null",
    ];
    let server = Server::start_in(dir, &[&arguments[..], &WEB].concat());
    let answer = server.wait_for("the loss to be seen", |server| {
        let answer = get(server, "/healthz", &[]);
        answer.text().contains("\"lost\"").then_some(answer)
    });
    assert_eq!(answer.status, 503);
    assert!(
        answer.text().starts_with(r#"{"ready":false,"#),
        "{}",
        answer.text()
    );
    let shown = get(&server, "/snapshot.png", &[]);
    assert_eq!(
        (shown.status, shown.header("rfbridge-picture")),
        (200, Some("lost"))
    );
}

#[test]
fn everything_that_is_counted_can_be_scraped() {
    let server = still(Size::new(200, 120));
    let mut viewer = crate::viewer::Viewer::connect(server.address);
    viewer.request(false);
    viewer.next();
    assert_eq!(ask(server.web(), "POST /type", &[], b"x").status, 200);
    let answer = get(&server, "/metrics", &[]);
    let kind = answer.header("content-type").expect("a kind");
    assert!(kind.starts_with("application/openmetrics-text;"), "{kind}");
    let text = answer.text();
    for line in [
        "rfbridge_build_info{version=\"",
        "rfbridge_picture_state{state=\"live\"} 1\n",
        "rfbridge_picture_state{state=\"lost\"} 0\n",
        "rfbridge_pictures_total{result=\"changed\"} 1\n",
        "rfbridge_source_events_total{event=\"opened\"} 1\n",
        "rfbridge_hid_reports_total{function=\"keyboard\",result=\"taken\"} 2\n",
        "rfbridge_encode_seconds_count ",
        "rfbridge_updates_total{encoding=\"Raw\"} ",
        "rfbridge_update_bytes_total{encoding=\"Raw\"} ",
        "rfbridge_logins_total{result=\"ok\"} 1\n",
        "rfbridge_clients 1\n",
        "rfbridge_client_info{client=\"1\",address=\"127.0.0.1:",
        "rfbridge_client_bytes_sent_total{client=\"1\"} ",
        "rfbridge_client_bytes_in_flight{client=\"1\"} ",
    ] {
        assert!(text.contains(line), "no {line:?} in\n{text}");
    }
    assert!(text.ends_with("# EOF\n"), "{text}");
}
