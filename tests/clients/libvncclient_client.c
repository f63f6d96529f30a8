/* libvncclient_client PORT ENCODINGS BITS QUALITY WIDTHxHEIGHT WORD
 *
 * Saves the first picture as before.ppm, types the word, and waits for a picture of the given size, which it
 * saves as after.ppm. A picture is whole once an update has painted its last pixel, which is never black.
 * ENCODINGS "default" leaves the choice to the library; BITS per pixel are 8, 16 or 32; a QUALITY of -1 means
 * no JPEG. Ends with 0 if all that happened in time. */

#include <rfb/rfbclient.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int updated;

static rfbBool new_size(rfbClient *client)
{
    free(client->frameBuffer);
    client->frameBuffer = calloc((size_t)client->width * client->height, client->format.bitsPerPixel / 8);
    updated = 0;
    return client->frameBuffer != NULL;
}

static void finished(rfbClient *client)
{
    (void)client;
    updated = 1;
}

static uint32_t pixel(const rfbClient *client, size_t index)
{
    uint32_t value = 0;
    size_t bytes = client->format.bitsPerPixel / 8;
    memcpy(&value, client->frameBuffer + index * bytes, bytes);
    return value;
}

static int is_whole(const rfbClient *client)
{
    return updated && pixel(client, (size_t)client->width * client->height - 1) != 0;
}

/* Under its name only when it is complete. */
static int save(const rfbClient *client, const char *path)
{
    const rfbPixelFormat *format = &client->format;
    FILE *file = fopen("unfinished.ppm", "wb");
    if (file == NULL)
        return 0;
    fprintf(file, "P6 %d %d 255\n", client->width, client->height);
    for (size_t i = 0; i < (size_t)client->width * client->height; i++) {
        uint32_t value = pixel(client, i);
        fputc((value >> format->redShift & format->redMax) * 255 / format->redMax, file);
        fputc((value >> format->greenShift & format->greenMax) * 255 / format->greenMax, file);
        fputc((value >> format->blueShift & format->blueMax) * 255 / format->blueMax, file);
    }
    return fclose(file) == 0 && rename("unfinished.ppm", path) == 0;
}

/* Waits for a whole picture of this size, or of any size if width is 0. */
static int wait_for_picture(rfbClient *client, int width, int height)
{
    time_t end = time(NULL) + 12;
    while (!is_whole(client) || (width != 0 && (client->width != width || client->height != height))) {
        int waiting = WaitForMessage(client, 100000);
        if (waiting < 0 || (waiting > 0 && !HandleRFBServerMessage(client)) || time(NULL) > end)
            return 0;
    }
    return 1;
}

int main(int count, char **arguments)
{
    int width, height;
    if (count != 7 || sscanf(arguments[5], "%dx%d", &width, &height) != 2)
        return 2;
    int bits = atoi(arguments[3]), quality = atoi(arguments[4]);
    rfbClient *client = bits == 32 ? rfbGetClient(8, 3, 4) : bits == 16 ? rfbGetClient(5, 3, 2) : rfbGetClient(2, 3, 1);
    client->MallocFrameBuffer = new_size;
    client->FinishedFrameBufferUpdate = finished;
    client->canHandleNewFBSize = TRUE;
    client->serverHost = strdup("127.0.0.1");
    client->serverPort = atoi(arguments[1]);
    if (strcmp(arguments[2], "default") != 0)
        client->appData.encodingsString = arguments[2];
    client->appData.enableJPEG = quality >= 0;
    client->appData.qualityLevel = quality;
    if (!rfbInitClient(client, NULL, NULL))
        return 3;
    if (!wait_for_picture(client, 0, 0) || !save(client, "before.ppm"))
        return 4;
    for (const char *character = arguments[6]; *character != 0; character++) {
        SendKeyEvent(client, (unsigned char)*character, TRUE);
        SendKeyEvent(client, (unsigned char)*character, FALSE);
    }
    if (!wait_for_picture(client, width, height) || !save(client, "after.ppm"))
        return 5;
    rfbClientCleanup(client);
    return 0;
}
