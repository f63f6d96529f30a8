/* Pictures as the bench hands them over: U32 length, little-endian, then a JPEG or YUYV; decoded to BGRX. */
#ifndef PICTURES_H
#define PICTURES_H

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>
#include <unistd.h>

#define LARGEST (64u << 20)

struct pictures {
    int fifo, is_jpeg, width, height;
    tjhandle decoder;
    uint8_t *bytes, *previous;
    size_t length, previous_length;
};

static void give_up(const char *what) {
    fprintf(stderr, "%s: %s\n", what, errno ? strerror(errno) : "failed");
    exit(1);
}

/* FIFO mjpeg|yuyv WIDTH HEIGHT */
static struct pictures open_pictures(char **arguments) {
    struct pictures p = {0};
    p.fifo = open(arguments[0], O_RDONLY);
    p.is_jpeg = !strcmp(arguments[1], "mjpeg");
    p.width = atoi(arguments[2]);
    p.height = atoi(arguments[3]);
    p.decoder = tjInitDecompress();
    if (p.fifo < 0 || !p.decoder || p.width < 2 || p.height < 1 || p.width > 8192 || p.height > 8192)
        give_up("pictures");
    p.bytes = malloc(LARGEST);
    p.previous = malloc(LARGEST);
    if (!p.bytes || !p.previous)
        give_up("memory");
    return p;
}

static void read_all(int fifo, uint8_t *to, size_t length) {
    while (length) {
        ssize_t count = read(fifo, to, length);
        if (count == 0)
            exit(0);
        if (count < 0 && errno != EINTR)
            give_up("read");
        if (count > 0) {
            to += count;
            length -= (size_t)count;
        }
    }
}

static uint8_t sample(int value) { return value < 0 ? 0 : value > 255 ? 255 : (uint8_t)value; }

/* BT.601 limited range, 8 bits behind the point. */
static void yuyv_to_bgrx(const struct pictures *p, uint8_t *to) {
    const uint8_t *from = p->bytes;
    for (size_t pairs = (size_t)p->width * p->height / 2; pairs; pairs--, from += 4, to += 8) {
        int blue_chroma = from[1] - 128, red_chroma = from[3] - 128;
        int blue = 516 * blue_chroma + 128, red = 409 * red_chroma + 128;
        int green = -100 * blue_chroma - 208 * red_chroma + 128;
        for (int i = 0; i < 2; i++) {
            int luma = 298 * (from[2 * i] - 16);
            to[4 * i] = sample((luma + blue) >> 8);
            to[4 * i + 1] = sample((luma + green) >> 8);
            to[4 * i + 2] = sample((luma + red) >> 8);
            to[4 * i + 3] = 0;
        }
    }
}

/* Waits for a picture whose bytes differ from the last one's and decodes it. */
static void next_picture(struct pictures *p, uint8_t *bgrx) {
    do {
        uint8_t *other = p->previous;
        p->previous = p->bytes;
        p->previous_length = p->length;
        p->bytes = other;
        uint8_t head[4];
        read_all(p->fifo, head, sizeof head);
        p->length = head[0] | head[1] << 8 | head[2] << 16 | (size_t)head[3] << 24;
        if (p->length > LARGEST)
            give_up("length");
        read_all(p->fifo, p->bytes, p->length);
    } while (p->length == p->previous_length && !memcmp(p->bytes, p->previous, p->length));
    if (!p->is_jpeg) {
        if (p->length != (size_t)p->width * p->height * 2)
            give_up("a picture's length");
        yuyv_to_bgrx(p, bgrx);
    } else if (tjDecompress2(p->decoder, p->bytes, p->length, bgrx, p->width, p->width * 4, p->height, TJPF_BGRX, 0)) {
        fprintf(stderr, "a JPEG: %s\n", tjGetErrorStr2(p->decoder));
        exit(1);
    }
}

#endif
