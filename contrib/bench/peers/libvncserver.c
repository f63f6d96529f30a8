/* libvncserver as a bridge would use it: changed frames are decoded beside the framebuffer, compared with it in
 * 32x32 tiles, and what differs is copied and marked in few rectangles.
 *
 *     libvncserver FIFO mjpeg|yuyv WIDTH HEIGHT PORT
 */
#include <arpa/inet.h>
#include <rfb/rfb.h>

#include "pictures.h"

#define TILE 32
#define MOST 256

struct box {
    int left, top, right, bottom;
};

/* Copies the tile if it differs. */
static int take_tile(const struct pictures *p, const uint8_t *from, uint8_t *to, int column, int row) {
    int left = column * TILE, top = row * TILE, differs = 0;
    int width = p->width - left < TILE ? p->width - left : TILE;
    int height = p->height - top < TILE ? p->height - top : TILE;
    size_t stride = (size_t)p->width * 4, start = top * stride + left * 4;
    for (int y = 0; y < height && !differs; y++)
        differs = memcmp(from + start + y * stride, to + start + y * stride, width * 4);
    for (int y = 0; differs && y < height; y++)
        memcpy(to + start + y * stride, from + start + y * stride, width * 4);
    return differs != 0;
}

static void mark(rfbScreenInfoPtr screen, const struct box *b) {
    int right = b->right * TILE < screen->width ? b->right * TILE : screen->width;
    int bottom = b->bottom * TILE < screen->height ? b->bottom * TILE : screen->height;
    rfbMarkRectAsModified(screen, b->left * TILE, b->top * TILE, right, bottom);
}

/* Runs of changed tiles; a run grows downwards while the row below has the same one. */
static void update(rfbScreenInfoPtr screen, const struct pictures *p, const uint8_t *picture) {
    struct box open[MOST];
    int count = 0, columns = (p->width + TILE - 1) / TILE, rows = (p->height + TILE - 1) / TILE;
    for (int row = 0; row < rows; row++) {
        for (int column = 0; column < columns; column++) {
            int left = column;
            while (column < columns && take_tile(p, picture, (uint8_t *)screen->frameBuffer, column, row))
                column++;
            if (column == left)
                continue;
            int i = 0;
            while (i < count && (open[i].left != left || open[i].right != column || open[i].bottom != row))
                i++;
            if (i < count)
                open[i].bottom = row + 1;
            else if (count < MOST)
                open[count++] = (struct box){left, row, column, row + 1};
            else
                mark(screen, &(struct box){left, row, column, row + 1});
        }
        int kept = 0;
        for (int i = 0; i < count; i++) {
            if (open[i].bottom == row + 1)
                open[kept++] = open[i];
            else
                mark(screen, &open[i]);
        }
        count = kept;
    }
    for (int i = 0; i < count; i++)
        mark(screen, &open[i]);
}

int main(int argc, char **argv) {
    if (argc != 6) {
        fputs("libvncserver FIFO mjpeg|yuyv WIDTH HEIGHT PORT\n", stderr);
        return 2;
    }
    struct pictures pictures = open_pictures(argv + 1);
    size_t length = (size_t)pictures.width * pictures.height * 4;
    rfbLogEnable(0);
    int none = 0;
    rfbScreenInfoPtr screen = rfbGetScreen(&none, NULL, pictures.width, pictures.height, 8, 3, 4);
    uint8_t *picture = malloc(length);
    if (!screen || !picture || !(screen->frameBuffer = calloc(1, length)))
        give_up("memory");
    screen->serverFormat.redShift = 16;
    screen->serverFormat.greenShift = 8;
    screen->serverFormat.blueShift = 0;
    screen->port = atoi(argv[5]);
    screen->ipv6port = 0;
    screen->listenInterface = htonl(INADDR_LOOPBACK);
    screen->alwaysShared = TRUE;
    screen->deferUpdateTime = 0;
    screen->cursor = NULL;
    rfbInitServer(screen);
    if (screen->listenSock == RFB_INVALID_SOCKET)
        give_up("listen");
    rfbRunEventLoop(screen, -1, TRUE);
    puts("ready");
    fflush(stdout);
    for (;;) {
        next_picture(&pictures, picture);
        update(screen, &pictures, picture);
    }
}
