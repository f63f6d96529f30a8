//! Who may fetch what: logins, and pages of other servers.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hyper::{
    StatusCode,
    header::{AUTHORIZATION, HeaderMap, ORIGIN},
};
use rfb::security::{Login, secret::Secret};

use super::{
    Web,
    answer::{self, Refusal},
    connection::{Channel, host},
};
use crate::{
    access::{Admitted, Role},
    net::{InputSink, LoginRefused},
};

/// The page's own requests have it, so that the browser does not ask by itself.
const BY_THE_PAGE: &str = "x-requested-with";

impl<I: InputSink> Web<I> {
    /// Refuses whom a page of another server could have sent: it would come with the rights of whoever looks at that page
    /// (check 72).
    pub(super) fn check_origin(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let Some(origin) = headers.get(ORIGIN) else {
            // No browser.
            return Ok(());
        };
        let origin = origin.to_str().unwrap_or_default();
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        let own = authority.zip(host(headers));
        if own.is_some_and(|(authority, host)| authority.eq_ignore_ascii_case(host))
            || self
                .settings
                .origins
                .iter()
                .any(|allowed| allowed.is(origin))
        {
            return Ok(());
        }
        tracing::warn!(
            origin,
            host = host(headers),
            "a page of another server wanted to connect; if it may, name it in `origins` of [web]"
        );
        let why = "Pages of this origin may not connect; `origins` of [web] names those that may.";
        Err(answer::refusal(StatusCode::FORBIDDEN, why).into())
    }

    /// Without a password this machine's own users are let in, and nobody else: not a page that has had its name resolved
    /// to this address either.
    pub(super) fn check_host(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        if self.server.access().is_guarded() || host(headers).is_some_and(is_loopback) {
            return Ok(());
        }
        let why = "Without a password only http://localhost and loopback addresses are served.";
        Err(answer::refusal(StatusCode::FORBIDDEN, why).into())
    }

    /// Lets in who may do at least what `role` does.
    pub(super) async fn admit(
        &self,
        headers: &HeaderMap,
        channel: Channel,
        role: Role,
    ) -> Result<Admitted, Refusal> {
        let admitted = self.log_in(headers, channel).await?;
        match admitted.role >= role {
            true => Ok(admitted),
            false => {
                let why = format!("This takes the role {role}, yours is {}.", admitted.role);
                Err(answer::refusal(StatusCode::FORBIDDEN, why).into())
            }
        }
    }

    async fn log_in(&self, headers: &HeaderMap, channel: Channel) -> Result<Admitted, Refusal> {
        let is_guarded = self.server.access().is_guarded();
        if is_guarded && !channel.is_private() {
            let why = "A password is not taken over HTTP, where it can be read; make a certificate (`rfbridge cert`, \
                       `certificate` of [security]) and use HTTPS.";
            return Err(answer::refusal(StatusCode::FORBIDDEN, why).into());
        }
        let login = match is_guarded {
            true => {
                let asks = !headers.contains_key(BY_THE_PAGE);
                let given = credentials(headers).ok_or_else(|| {
                    answer::unauthorized("A password is needed.".to_owned(), asks)
                })?;
                if let Some(admitted) = self.keyring.find(&given) {
                    return Ok(admitted);
                }
                given
            }
            false => Credentials::default(),
        };
        match self.server.log_in(channel.peer, login.login()).await {
            Ok(admitted) => {
                self.keyring.keep(&login, &admitted);
                Ok(admitted)
            }
            Err(refused) => {
                let why = refused.to_string();
                let refusal = match refused {
                    LoginRefused::TooSoon(wait) => answer::too_soon(why, wait.as_secs() + 1),
                    LoginRefused::Denied(_) => {
                        answer::unauthorized(why, !headers.contains_key(BY_THE_PAGE))
                    }
                    LoginRefused::Fault(_) => {
                        answer::refusal(StatusCode::INTERNAL_SERVER_ERROR, why)
                    }
                };
                Err(refusal.into())
            }
        }
    }
}

/// What somebody gives to be let in; without anything where nothing is asked for.
#[derive(Default)]
pub(super) struct Credentials {
    pub(super) user: String,
    pub(super) password: Vec<u8>,
}

impl Credentials {
    fn login(&self) -> Login {
        Login::Password {
            user: Some(self.user.clone()).filter(|user| !user.is_empty()),
            password: Secret::new(self.password.clone()),
        }
    }
}

/// `Basic`, a space, and `user:password` in Base64 (RFC 7617 §2).
fn credentials(headers: &HeaderMap) -> Option<Credentials> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = STANDARD.decode(token.trim()).ok()?;
    let colon = pair.iter().position(|byte| *byte == b':')?;
    let (user, password) = (pair.get(..colon)?, pair.get(colon + 1..)?);
    Some(Credentials {
        user: String::from_utf8_lossy(user).into_owned(),
        password: password.to_vec(),
    })
}

/// Whether this names the machine itself, whoever resolves names.
fn is_loopback(host: &str) -> bool {
    let without_port = |host: &str| match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name.to_owned(),
        _ => host.to_owned(),
    };
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address.to_owned(),
        None => without_port(host),
    };
    match name.parse::<std::net::IpAddr>() {
        Ok(ip) => ip.to_canonical().is_loopback(),
        Err(_) => name.eq_ignore_ascii_case("localhost"),
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    #[test]
    fn only_names_that_cannot_be_resolved_elsewhere_are_this_machine() {
        for here in [
            "localhost",
            "LOCALHOST:5800",
            "127.0.0.1:5800",
            "[::1]:5800",
            "[::1]",
        ] {
            assert!(is_loopback(here), "{here}");
        }
        for elsewhere in [
            "kvm:5800",
            "localhost.example",
            "192.0.2.1:5800",
            "[2001:db8::1]",
            "",
        ] {
            assert!(!is_loopback(elsewhere), "{elsewhere}");
        }
    }

    #[test]
    fn a_password_may_hold_colons_and_a_name_may_be_missing() {
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            let value = format!("basic {}", STANDARD.encode(text));
            headers.insert(
                AUTHORIZATION,
                HeaderValue::from_str(&value).expect("a value"),
            );
            credentials(&headers).map(|given| (given.user, given.password))
        };
        assert_eq!(
            read("alice:a:b"),
            Some(("alice".to_owned(), b"a:b".to_vec()))
        );
        assert_eq!(read(":secret"), Some((String::new(), b"secret".to_vec())));
        assert_eq!(read("alice"), None);
        assert!(credentials(&HeaderMap::new()).is_none());
    }
}
