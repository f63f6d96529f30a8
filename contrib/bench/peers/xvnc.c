/* Shows pictures on the root window of an X server.
 *
 *     xvnc FIFO mjpeg|yuyv WIDTH HEIGHT DISPLAY
 */
#include <X11/Xlib.h>
#include <X11/extensions/XShm.h>
#include <sys/ipc.h>
#include <sys/shm.h>

#include "pictures.h"

int main(int argc, char **argv) {
    if (argc != 6) {
        fputs("xvnc FIFO mjpeg|yuyv WIDTH HEIGHT DISPLAY\n", stderr);
        return 2;
    }
    struct pictures pictures = open_pictures(argv + 1);
    Display *display = XOpenDisplay(argv[5]);
    if (!display || !XShmQueryExtension(display))
        give_up("display");
    int screen = DefaultScreen(display);
    XShmSegmentInfo segment = {0};
    XImage *image = XShmCreateImage(display, DefaultVisual(display, screen), 24, ZPixmap, NULL, &segment,
                                    pictures.width, pictures.height);
    if (!image || image->bits_per_pixel != 32 || image->bytes_per_line != pictures.width * 4)
        give_up("image");
    segment.shmid = shmget(IPC_PRIVATE, (size_t)image->bytes_per_line * image->height, IPC_CREAT | 0600);
    if (segment.shmid < 0)
        give_up("shmget");
    segment.shmaddr = image->data = shmat(segment.shmid, NULL, 0);
    if (!XShmAttach(display, &segment))
        give_up("attach");
    XSync(display, False);
    shmctl(segment.shmid, IPC_RMID, NULL);
    GC gc = DefaultGC(display, screen);
    puts("ready");
    fflush(stdout);
    for (;;) {
        next_picture(&pictures, (uint8_t *)image->data);
        XShmPutImage(display, DefaultRootWindow(display), gc, image, 0, 0, 0, 0, pictures.width, pictures.height, False);
        /* The picture is on the screen before the next one is decoded into the segment. */
        XSync(display, False);
    }
}
