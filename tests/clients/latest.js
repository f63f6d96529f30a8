// For the JavaScript programs here.
const fs = require('fs');

// Saves four bytes a pixel, of which `order` names red, green and blue; under its name only when it is whole.
exports.save = (path, width, height, pixels, order) => {
    const rgb = Buffer.alloc(width * height * 3);
    for (let i = 0; i < width * height; i++) {
        order.forEach((from, to) => { rgb[3 * i + to] = pixels[4 * i + from]; });
    }
    fs.writeFileSync(`${path}.part`, Buffer.concat([Buffer.from(`P6 ${width} ${height} 255\n`), rgb]));
    fs.renameSync(`${path}.part`, path);
};

// Presses and releases the key of each character.
exports.typing = (word, send) => {
    for (const character of word) {
        send(character.charCodeAt(0), 1);
        send(character.charCodeAt(0), 0);
    }
};
