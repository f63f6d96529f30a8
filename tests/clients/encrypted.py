"""Clients over encrypted connections. Each is told to take nothing else, and rfbridge's log says what it took."""

import getpass
import os
import re

import numpy

import browser
import reports
import rsa_aes
from checks import PASSWORD, STILL, Latest, served, wait_for_click, wait_for_word, wait_until_shown
from desktop import Desktop, Start
from libraries import libvncclient
from processes import Failed, run, wait_for
from viewers import gvncviewer, password_file, remote_viewer
from watching import LOSSY, NEAR, WORD, Look, Target, click, follow, type_word


def certificate(case):
    """One of rfbridge's own, for loopback; gives its folder."""
    folder = case.folder / "certificate"
    folder.mkdir()
    run("cert", [case.bridge_path, "cert", "--directory", folder, "--name", "127.0.0.1"], case.folder)
    return folder


def with_certificate(folder):
    return ["--security-certificate", folder / "certificate.pem", "--security-key", folder / "key.pem"]


def encrypted(start, security, look=Look(LOSSY)):
    """The case of a viewer that connects by this security type. Beside it the password is offered in clear, for the tool
    that captures what is served."""

    def case_of_viewer(case):
        folder = certificate(case)
        options = ["--security-types", f"{security},VncAuth", *with_certificate(folder)]
        with Target(case, PASSWORD, options) as target:
            started = start(target, security, folder / "certificate.pem")
            with Desktop(case.folder, started.maximised) as desktop, desktop.viewer(started) as viewer:
                follow(target, viewer, "first", look)
                click(target, viewer)
                type_word(target, viewer)
                if security not in (took := logged_in_by(target)):
                    raise Failed(f"it logged in by {took}, not by {security}")
        return f"the picture, {WORD!r} and a click by {security}"

    return case_of_viewer


def novnc(security, took):
    """The case of noVNC, in a page of this machine: it takes what it can of what is offered first."""

    def case_of_browser(case):
        folder = certificate(case)
        run("host-key", [case.bridge_path, "cert", "--directory", folder, "--host-key"], case.folder)
        options = ["--security-types", security, "--security-host-key", folder / "host-key.pem"]
        options += with_certificate(folder)
        with Target(case, PASSWORD, options) as target:
            target.show("first")
            with browser.Opened(case, browser.npm_page, target.bridge, PASSWORD) as page:
                wait_until_shown(page.look, target.served["first"], "noVNC", NEAR)
                page.click(123, 456)
                wait_for("a click", lambda: any(report[0] == 1 for report in target.pointer()), 10)
                page.type(WORD)
                wait_for(f"{WORD!r}", lambda: reports.text(target.keyboard()) == WORD, 10)
                if (by := logged_in_by(target))[-1] != took:
                    raise Failed(f"it logged in by {by}, not by {took}")
        return f"the picture, {WORD!r} and a click by {took} where {security} are offered"

    return case_of_browser


def logged_in_by(target):
    return logins(target.bridge)


def logins(bridge):
    """The security types by which clients have logged in so far."""
    log = re.sub("\x1b\\[[0-9;]*m", "", bridge.log.read_text())
    return re.findall(r' logged in .*security="(\w+)"', log)


def tigervnc(target, security, certificate_file):
    """It trusts this certificate, so it asks for nothing but the password and, with Plain, a name."""
    how = [f"-SecurityTypes={security}", f"-X509CA={certificate_file}", "-Shared", "-MenuKey="]
    address = f"127.0.0.1::{target.port}"
    if security == "X509Plain":
        names = ["VNC_USERNAME=somebody", f"VNC_PASSWORD={PASSWORD}"]
        return Start(["env", *names, "xtigervncviewer", *how, address])
    password, files = password_file(target, "-passwd")
    return Start(["xtigervncviewer", *how, *password, address], files)


def trusting(start):
    """A viewer made of gtk-vnc. Whom it trusts it looks up in the home that the system's list of users has for its user, so it is
    shown a list of its own."""

    def started(target, security, certificate_file):
        how = start(target)
        home = target.case.folder / "home"
        user = f"{getpass.getuser()}:x:{os.getuid()}:{os.getgid()}::{home}:/bin/sh\n"
        how.files |= {".pki/CA/cacert.pem": certificate_file.read_text(), "passwd": user, "group": ""}
        users = [f"NSS_WRAPPER_PASSWD={home / 'passwd'}", f"NSS_WRAPPER_GROUP={home / 'group'}"]
        how.command = ["env", "LD_PRELOAD=libnss_wrapper.so", *users, *how.command]
        return how

    return started


def library(case):
    """libvncclient, which others are made of: Remmina, KRDC and Guacamole among them."""
    folder = certificate(case)
    for security in ["X509Vnc", "X509Plain"]:
        options = ["--security-types", f"{security},VncAuth", *with_certificate(folder)]
        with served(case, [STILL], PASSWORD, options) as bridge:
            trust = [f"X509_CA={folder / 'certificate.pem'}", "VNC_USER=somebody"]
            command = ["env", *trust, *libvncclient("default", 32, 9)(case, bridge.port, PASSWORD)]
            with Latest("libvncclient", command, case.folder / security) as client:
                wait_until_shown(client.look, STILL, "libvncclient", NEAR)
                wait_for_click(case)
                wait_for_word(case)
            if security not in (took := logins(bridge)):
                raise Failed(f"it logged in by {took}, not by {security}")
    return f"the picture, {WORD!r} and a click by X509Vnc and X509Plain"


def by_rsa_aes(case):
    """A client written from the specification logs in by each type of RSA-AES, and by none with a wrong password."""
    folder = case.folder / "certificate"
    folder.mkdir()
    made = run("cert", [case.bridge_path, "cert", "--directory", folder, "--host-key"], case.folder)
    fingerprint = re.search(r"^fingerprint (\S+)$", made, re.M)[1]
    types = ",".join(rsa_aes.TYPES)
    options = ["--security-types", f"{types},VncAuth", "--security-host-key", folder / "host-key.pem"]
    with Target(case, PASSWORD, options) as target:
        target.show("first")
        for security in rsa_aes.TYPES:
            client = rsa_aes.Client(target.port, security, PASSWORD)
            if client.fingerprint != fingerprint:
                raise Failed(f"{security}: the host key is {client.fingerprint}, not {fingerprint}")
            shown = client.picture()[:, :, 2::-1]
            if not numpy.array_equal(shown, target.served["first"]):
                raise Failed(f"{security}: the picture is another one")
            before = len(target.keyboard())
            for character in WORD:
                client.key(ord(character))
            client.click(123, 456)
            wait_for(f"{WORD!r} by {security}", lambda: reports.text(target.keyboard()[before:]) == WORD, 10)
            wait_for("a click", lambda: any(report[0] == 1 for report in target.pointer()), 10)
            if security not in logged_in_by(target):
                raise Failed(f"it logged in by {logged_in_by(target)}, not by {security}")
            client.socket.close()
            try:
                rsa_aes.Client(target.port, security, "wrong")
            except rsa_aes.Refused as refused:
                if "password" not in str(refused):
                    raise Failed(f"{security}: a wrong password is answered by: {refused}") from None
            else:
                raise Failed(f"{security}: a wrong password lets in")
    return f"every pixel equal, {WORD!r} and a click by {', '.join(rsa_aes.TYPES)}; a wrong password by none"


CASES = {
    "rsa-aes": by_rsa_aes,
    "tigervnc-x509vnc": encrypted(tigervnc, "X509Vnc"),
    "tigervnc-x509plain": encrypted(tigervnc, "X509Plain"),
    "gtk-vnc-x509vnc": encrypted(trusting(gvncviewer), "X509Vnc", Look(LOSSY, scales=True)),
    "remote-viewer-x509vnc": encrypted(trusting(remote_viewer), "X509Vnc"),
    "libvncclient-x509": library,
    # It takes VeNCrypt where it comes first, and what it knows inside.
    "novnc-npm-vencrypt": novnc("X509Vnc,VncAuth", "VncAuth"),
    "novnc-npm-ra2ne": novnc("RA2ne,VncAuth", "RA2ne"),
}
