//! Where clients come in: the listeners for VNC and the browser, and the viewers that are called.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use rfb::security::SecurityType;

use super::service::HandedOver;
use crate::{
    config::{Config, Viewer},
    net::{InputSink, ListenError, Listener, Server},
    web::Web,
};

/// Bound, and nobody let in yet.
pub(super) struct Doors {
    /// Each with the security types that are offered there.
    vnc: Vec<(Listener, Vec<SecurityType>)>,
    web: Vec<Listener>,
    /// What viewers are offered that are called: as at the first address.
    pub(super) reverse: Vec<SecurityType>,
}

impl Doors {
    /// Takes what a service manager has `handed` over, and binds the rest. Must be called inside a tokio runtime.
    pub(super) fn open(
        config: &Config,
        offers: Vec<(SocketAddr, Vec<SecurityType>)>,
        mut handed: HandedOver,
    ) -> Result<Self, ListenError> {
        let reverse = offers.first().map(|(_, offer)| offer.clone());
        let vnc = offers.into_iter();
        let vnc = vnc.map(|(address, offer)| Ok((handed.listener(address, "--listen")?, offer)));
        let vnc = vnc.collect::<Result<_, ListenError>>()?;
        let web = config.web.listen.iter();
        let web = web.map(|address| handed.listener(*address, "--web-listen"));
        let web = web.collect::<Result<_, _>>()?;
        handed.finish();
        Ok(Self {
            vnc,
            web,
            reverse: reverse.unwrap_or_default(),
        })
    }

    /// Tells scripts, and people, where connections are accepted.
    pub(super) fn announcement(&self, say_how_to_connect: bool) -> String {
        let mut lines = String::new();
        for address in self.web_addresses() {
            lines += &format!("web page on {address}\n");
        }
        for address in self.vnc_addresses() {
            lines += &format!("listening on {address}\n");
        }
        if say_how_to_connect && let Some(address) = self.vnc_addresses().next() {
            lines += &format!("connect with: vncviewer {}\n", viewer_address(address));
        }
        if say_how_to_connect && let Some(address) = self.web_addresses().next() {
            lines += &format!("or with a browser: http://{}/\n", reachable(address));
        }
        lines
    }

    /// Lets clients in from now on.
    pub(super) fn let_in<I: InputSink>(
        self,
        server: &Arc<Server<I>>,
        web: &Arc<Web<I>>,
        called: &[Viewer],
    ) {
        server.start(self.vnc);
        web.start(self.web);
        for viewer in called {
            let server = Arc::clone(server);
            let calling = Arc::clone(&server).keep_calling(viewer.clone(), self.reverse.clone());
            server.spawn(calling);
        }
    }

    fn vnc_addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.vnc.iter().map(|(listener, _)| listener.address())
    }

    fn web_addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.web.iter().map(Listener::address)
    }
}

/// An address of this machine in place of all its addresses.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip([127, 0, 0, 1].into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(IpAddr::V6(Ipv6Addr::LOCALHOST)),
        _ => {}
    }
    address
}

/// An address as viewers take it: a port behind one colon is a display number unless it is large.
fn viewer_address(address: SocketAddr) -> String {
    let address = reachable(address);
    let host = match address.ip() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    };
    match address.port() {
        5900 => format!("{host}:5900"),
        port => format!("{host}::{port}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn viewers_get_an_address_that_they_take() {
        for (address, viewer) in [
            ("127.0.0.1:5900", "127.0.0.1:5900"),
            ("127.0.0.1:5901", "127.0.0.1::5901"),
            ("0.0.0.0:5900", "127.0.0.1:5900"),
            ("[::]:40000", "[::1]::40000"),
            ("[::1]:5900", "[::1]:5900"),
        ] {
            let address = address.parse().expect("an address");
            assert_eq!(viewer_address(address), viewer);
        }
    }
}
