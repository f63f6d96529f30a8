// vnc_rfb_client.js NODE_MODULES PORT PASSWORD WORD X Y FILE: clicks and types once it has a picture, and goes on
// saving the screen.
const { save, typing } = require('./latest.js');

const [modules, port, password, word, x, y, path] = process.argv.slice(2);
const VncClient = require(`${modules}/vnc-rfb-client`);

// Without a rate it asks for no second picture.
const client = new VncClient({ fps: 10 });
client.on('authError', () => { throw new Error('not let in'); });
client.on('closed', () => process.exit(1));
client.on('firstFrameUpdate', () => {
    client.sendPointerEvent(Number(x), Number(y));
    client.sendPointerEvent(Number(x), Number(y), true);
    client.sendPointerEvent(Number(x), Number(y));
    typing(word, (keysym, down) => client.sendKeyEvent(keysym, down));
});
client.on('frameUpdated', (rgba) => save(path, client.clientWidth, client.clientHeight, rgba, [0, 1, 2]));
client.connect({ host: '127.0.0.1', port: Number(port), password });
