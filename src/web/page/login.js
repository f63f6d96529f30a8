// Who comes in: asks for a name and a password where the server wants them, and keeps them for this page only.

const form = document.getElementById("login");
const problem = document.getElementById("login-problem");

/** The login of this page; empty where none is asked for. */
export const credentials = { username: "", password: "" };

/** Shows the form; `act` is called once it is filled in. */
export function ask(withName, why, act) {
    document.getElementById("login-name").hidden = !withName;
    problem.textContent = why;
    form.hidden = false;
    form.elements.password.value = "";
    const first = withName && !form.elements.name.value ? form.elements.name : form.elements.password;
    first.focus();
    form.onsubmit = (event) => {
        event.preventDefault();
        credentials.username = withName ? form.elements.name.value : "";
        credentials.password = form.elements.password.value;
        form.hidden = true;
        act();
    };
}

/** Fetches something of the server, as who is logged in. */
export function fetchAs(path, options = {}) {
    const headers = { "X-Requested-With": "rfbridge", ...options.headers };
    if (credentials.password) {
        const pair = new TextEncoder().encode(`${credentials.username}:${credentials.password}`);
        headers.Authorization = `Basic ${btoa(String.fromCharCode(...pair))}`;
    }
    return fetch(path, { ...options, headers, cache: "no-store", credentials: "omit" });
}
