/* libvncclient_client ENCODINGS BITS QUALITY PORT PASSWORD WORD X Y FILE
 *
 * Clicks and types once it has a picture, and goes on saving the screen after every update, also after a
 * change of its size. A picture is whole once an update has painted its last pixel.
 * ENCODINGS "default" leaves the choice to the library; BITS per pixel are 8, 16 or 32; a QUALITY of -1 means
 * no JPEG. Encrypts where it can if $X509_CA names whom to trust, and then logs in as $VNC_USER if asked for a
 * name. Ends only when the connection does. */

#include <rfb/rfbclient.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *password, *path;
static int saved, painted;

static char *give_password(rfbClient *client)
{
    (void)client;
    return strdup(password);
}

static rfbCredential *give_credential(rfbClient *client, int type)
{
    (void)client;
    rfbCredential *credential = calloc(1, sizeof *credential);
    if (credential != NULL && type == rfbCredentialTypeX509) {
        credential->x509Credential.x509CACertFile = strdup(getenv("X509_CA"));
    } else if (credential != NULL) {
        credential->userCredential.username = strdup(getenv("VNC_USER"));
        credential->userCredential.password = strdup(password);
    }
    return credential;
}

static rfbBool new_size(rfbClient *client)
{
    free(client->frameBuffer);
    painted = 0;
    client->frameBuffer = calloc((size_t)client->width * client->height, client->format.bitsPerPixel / 8);
    return client->frameBuffer != NULL;
}

static void paint(rfbClient *client, int x, int y, int width, int height)
{
    painted |= x + width == client->width && y + height == client->height;
}

static uint32_t pixel(const rfbClient *client, size_t index)
{
    uint32_t value = 0;
    size_t bytes = client->format.bitsPerPixel / 8;
    memcpy(&value, client->frameBuffer + index * bytes, bytes);
    return value;
}

/* Under its name only when it is complete. */
static void save(rfbClient *client)
{
    const rfbPixelFormat *format = &client->format;
    size_t pixels = (size_t)client->width * client->height;
    if (!painted)
        return;
    char part[4096];
    snprintf(part, sizeof part, "%s.part", path);
    FILE *file = fopen(part, "wb");
    if (file == NULL)
        exit(4);
    fprintf(file, "P6 %d %d 255\n", client->width, client->height);
    for (size_t i = 0; i < pixels; i++) {
        uint32_t value = pixel(client, i);
        fputc((value >> format->redShift & format->redMax) * 255 / format->redMax, file);
        fputc((value >> format->greenShift & format->greenMax) * 255 / format->greenMax, file);
        fputc((value >> format->blueShift & format->blueMax) * 255 / format->blueMax, file);
    }
    if (fclose(file) != 0 || rename(part, path) != 0)
        exit(4);
    saved = 1;
}

static int next_message(rfbClient *client)
{
    int waiting = WaitForMessage(client, 1000000);
    return waiting >= 0 && (waiting == 0 || HandleRFBServerMessage(client));
}

int main(int count, char **arguments)
{
    if (count != 10)
        return 2;
    int bits = atoi(arguments[2]), quality = atoi(arguments[3]), x = atoi(arguments[7]), y = atoi(arguments[8]);
    password = arguments[5];
    path = arguments[9];
    rfbClient *client = bits == 32 ? rfbGetClient(8, 3, 4) : bits == 16 ? rfbGetClient(5, 3, 2) : rfbGetClient(2, 3, 1);
    client->MallocFrameBuffer = new_size;
    client->GotFrameBufferUpdate = paint;
    client->FinishedFrameBufferUpdate = save;
    client->GetPassword = give_password;
    if (getenv("X509_CA") != NULL)
        client->GetCredential = give_credential;
    client->canHandleNewFBSize = TRUE;
    client->serverHost = strdup("127.0.0.1");
    client->serverPort = atoi(arguments[4]);
    if (strcmp(arguments[1], "default") != 0)
        client->appData.encodingsString = arguments[1];
    client->appData.enableJPEG = quality >= 0;
    client->appData.qualityLevel = quality;
    if (!rfbInitClient(client, NULL, NULL))
        return 3;
    while (!saved)
        if (!next_message(client))
            return 5;
    SendPointerEvent(client, x, y, 0);
    SendPointerEvent(client, x, y, rfbButton1Mask);
    SendPointerEvent(client, x, y, 0);
    for (const char *character = arguments[6]; *character != 0; character++) {
        SendKeyEvent(client, (unsigned char)*character, TRUE);
        SendKeyEvent(client, (unsigned char)*character, FALSE);
    }
    while (next_message(client)) {
    }
    return 6;
}
