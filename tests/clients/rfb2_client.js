// rfb2_client.js NODE_MODULES PORT PASSWORD WORD X Y FILE: clicks and types once it has a picture, and goes on
// saving the screen.
const { save, typing } = require('./latest.js');

const [modules, port, password, word, x, y, path] = process.argv.slice(2);
const rfb2 = require(`${modules}/rfb2`);

const client = rfb2.createConnection({ host: '127.0.0.1', port: Number(port), password });
let screen = null;

client.on('error', (error) => { throw new Error(error); });
client.on('connect', () => {
    client.autoUpdate = true;
    // What it does at the end of each update is to request the next one.
    const request = client.requestUpdate;
    client.requestUpdate = function (...area) {
        save(path, client.width, client.height, screen, [2, 1, 0]);
        request.apply(client, area);
    };
});
client.on('rect', (rect) => {
    const first = screen === null;
    screen ??= Buffer.alloc(client.width * client.height * 4);
    for (let row = 0; row < rect.height; row++) {
        const from = row * rect.width * 4;
        rect.data.copy(screen, ((rect.y + row) * client.width + rect.x) * 4, from, from + rect.width * 4);
    }
    if (first) {
        client.pointerEvent(Number(x), Number(y), 0);
        client.pointerEvent(Number(x), Number(y), 1);
        client.pointerEvent(Number(x), Number(y), 0);
        typing(word, (keysym, down) => client.keyEvent(keysym, down));
    }
});
