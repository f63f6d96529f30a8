// The connection to the server: noVNC over a WebSocket of ours, which comes back by itself when it is lost.

const WAITS = [1, 2, 4, 8, 10]; // seconds, the last for ever
const CLOSED_ON_PURPOSE = 1000; // RFC 6455 §7.4.1

/** Tells "connected", "lost" (detail: seconds until the next try), "ended" (detail: why), "refused" (detail: why),
 * "asked", "capabilities", "name". */
export class Connection extends EventTarget {
    rfb = null;
    received = 0;
    #screen;
    #credentials = {};
    #tries = 0;
    #timer = null;

    constructor(screen) {
        super();
        this.#screen = screen;
        addEventListener("online", () => this.#timer && this.#try());
    }

    open(credentials) {
        this.#credentials = credentials;
        this.#tries = 0;
        this.#try();
    }

    get isConnected() {
        return this.rfb !== null && this.#tries === 0;
    }

    async #try() {
        clearTimeout(this.#timer);
        this.#timer = null;
        this.#drop();
        let RFB;
        try {
            ({ default: RFB } = await import("./novnc/core/rfb.js"));
        } catch {
            return this.#reload();
        }
        const address = new URL("websockify", location.href);
        address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
        const socket = new WebSocket(address, ["binary"]);
        let closed = null;
        socket.addEventListener("message", (event) => (this.received += event.data.byteLength ?? 0));
        socket.addEventListener("close", (event) => (closed = event));
        const rfb = new RFB(this.#screen, socket, { credentials: this.#credentials });
        this.rfb = rfb;
        let refused = null;
        const on = (name, act) => rfb.addEventListener(name, (event) => this.rfb === rfb && act(event.detail));
        on("connect", () => {
            this.#tries = 0;
            this.#tell("connected");
        });
        on("credentialsrequired", () => this.#tell("asked"));
        on("securityfailure", (detail) => (refused = detail.reason || "The server refused the login."));
        on("serververification", () => rfb.approveServer());
        on("capabilities", () => this.#tell("capabilities"));
        on("desktopname", (detail) => this.#tell("name", detail.name));
        on("disconnect", () => {
            this.rfb = null;
            if (refused !== null) return this.#tell("refused", refused);
            if (closed?.code === CLOSED_ON_PURPOSE) {
                return this.#tell("ended", "The server ended the connection.");
            }
            this.#later(() => this.#try());
        });
    }

    #later(act) {
        const wait = WAITS[Math.min(this.#tries, WAITS.length - 1)];
        this.#tries += 1;
        this.#timer = setTimeout(act, wait * 1000);
        this.#tell("lost", wait);
    }

    /** noVNC could not be loaded, and browsers remember that for as long as the page is there. */
    #reload() {
        this.#later(async () => {
            const answer = await fetch("page.json", { method: "HEAD", cache: "no-store" }).catch(() => null);
            if (answer?.ok) location.reload();
            else this.#reload();
        });
    }

    #drop() {
        const rfb = this.rfb;
        this.rfb = null;
        rfb?.disconnect();
    }

    #tell(name, detail) {
        this.dispatchEvent(new CustomEvent(name, { detail }));
    }
}
