/* SPDX-License-Identifier: MIT */
#include "net/proxy_layer.h"

#include <weft/log.h>
#include <weft/memory.h>

#include "base/address_mapped.h"
#include "net/listener_internal.h"
#include "net/talk.h"
#include "net/url.h"

#define HEADER_MOST (16 + WEFT_PROXY_LENGTH)
/* Of a backend, or of a layer below. */
#define DELIVERY_MOST (64 * 1024)

/* -- receiving -- */

struct proxy_receiver {
    struct layer_maker maker;
    uint64_t refused; /* connections */
    int count;
    struct url_network networks[URL_NETWORKS_MOST];
};

struct receiving {
    struct talk talk;
    struct proxy_receiver *receiver;
};

static bool network_has(const struct url_network *network, const weft_address *address)
{
    unsigned bytes = network->bits / 8, bits = network->bits % 8;

    if (network->family == WEFT_ADDRESS_UNIX) /* and not one of whom nothing is known, as over stdio */
        return address->family == WEFT_ADDRESS_UNIX || address->family == WEFT_ADDRESS_MEMORY;
    if (network->family != address->family || memcmp(network->ip, address->ip, bytes) != 0)
        return false;
    return bits == 0 || (network->ip[bytes] ^ address->ip[bytes]) >> (8 - bits) == 0;
}

static bool may_claim(const struct proxy_receiver *receiver, const weft_address *address)
{
    for (int i = 0; i < receiver->count; i++)
        if (network_has(&receiver->networks[i], address))
            return true;
    return false;
}

/* All are counted. The first is told, and then whenever there are twice as many: whoever may connect could fill a log. */
static void refuse(const struct receiving *receiving, const char *problem)
{
    const weft_stream *stream = receiving->talk.layer.stream;
    uint64_t refused = ++receiving->receiver->refused;
    char peer[WEFT_ADDRESS_TEXT];

    if (stream->listener)
        weft_counter_increment(&stream->listener->refused_count);
    if (refused & (refused - 1))
        return;
    weft_address_text(&stream->peer, peer);
    weft_log_field fields[] = {{.name = "peer", .text = weft_bytes_from(peer)},
                               {.name = "refused", .number = (int64_t)refused}};
    weft_log_fields(WEFT_LOG_INFO, "proxy", fields, 2, "a connection was reset: %s", problem);
}

static int begin_receiving(struct talk *talk)
{
    const struct receiving *receiving = weft_container_of(talk, const struct receiving, talk);

    if (may_claim(receiving->receiver, &talk->layer.stream->peer))
        return 0;
    refuse(receiving, "nobody here believes its PROXY header");
    return WEFT_EREFUSED;
}

/* The slices of a header, to be kept together. */
#define SLICES 11

static void slices_of(weft_proxy_header *header, weft_bytes *ret[SLICES])
{
    weft_bytes *all[SLICES] = {&header->source_path,   &header->destination_path, &header->alpn,
                               &header->authority,     &header->unique_id,        &header->netns,
                               &header->tls.version,   &header->tls.common_name,  &header->tls.cipher,
                               &header->tls.signature, &header->tls.key};

    memcpy(ret, all, sizeof all);
}

/* A header says one address as another does, and as the system does of who is connected. (Both or none, so that what came can
 * be announced again.) */
static void unmap(weft_proxy_header *header)
{
    if (!address_is_mapped(&header->source) || !address_is_mapped(&header->destination))
        return;
    address_unmap(&header->source);
    address_unmap(&header->destination);
}

/* @p whole is the header as it came: all slices point into it. */
static int claim(weft_stream *stream, const weft_proxy_header *header, weft_bytes whole)
{
    struct stream_claim *claim = weft_allocate(sizeof *claim + whole.length);
    weft_bytes *slices[SLICES];

    if (!claim)
        return WEFT_ENOMEM;
    memcpy(claim->text, whole.data, whole.length);
    claim->header = *header;
    claim->peer = header->source;
    address_unmap(&claim->peer);
    unmap(&claim->header);
    slices_of(&claim->header, slices);
    for (unsigned i = 0; i < SLICES; i++)
        if (slices[i]->length > 0)
            slices[i]->data = claim->text + (slices[i]->data - whole.data);
    if (header->tlvs.length > 0)
        claim->header.tlvs.data = claim->text + (header->tlvs.data - whole.data);
    stream->claim = claim;
    return 0;
}

static int hear_header(struct talk *talk, weft_bytes in)
{
    weft_stream *stream = talk->layer.stream;
    weft_proxy_header header;
    const char *problem;
    int length = weft_proxy_header_read(in, WEFT_PROXY_LENGTH, &header, &problem), status;

    if (length < 0)
        refuse(weft_container_of(talk, const struct receiving, talk), problem);
    if (length <= 0)
        return length;
    status = claim(stream, &header, weft_bytes_first(in, (size_t)length));
    talk->over = true;
    return status < 0 ? status : length;
}

static void free_receiving(struct talk *talk)
{
    weft_release(weft_container_of(talk, struct receiving, talk));
}

static const struct talk_ops receiving_ops = {
    .layer = TALK_LAYER_OPS("proxy header"),
    .begin = begin_receiving,
    .heard = hear_header,
    .free = free_receiving,
    .most = HEADER_MOST,
};

static int make_receiving(struct layer_maker *maker, weft_stream *stream, struct layer **ret)
{
    struct receiving *receiving = weft_allocate(sizeof *receiving);

    (void)stream;
    if (!receiving)
        return WEFT_ENOMEM;
    talk_init(&receiving->talk, &receiving_ops);
    receiving->receiver = weft_container_of(maker, struct proxy_receiver, maker);
    *ret = &receiving->talk.layer;
    return 0;
}

static void free_receiver(struct layer_maker *maker)
{
    weft_release(weft_container_of(maker, struct proxy_receiver, maker));
}

int proxy_receiver_new(weft_bytes from, struct layer_maker **ret)
{
    struct proxy_receiver *receiver = weft_allocate_zeroed(1, sizeof *receiver);

    if (!receiver)
        return WEFT_ENOMEM;
    receiver->maker.make = make_receiving;
    receiver->maker.free = free_receiver;
    receiver->count = url_parse_networks(from, receiver->networks, NULL);
    *ret = &receiver->maker;
    return 0;
}

/* -- sending -- */

struct sending {
    struct talk talk;
    uint8_t version;
};

static int say_header(struct talk *talk, const weft_proxy_header *header)
{
    char small[256], *large;
    int length = weft_proxy_header_write(small, sizeof small, header), status;

    if (length != -ENOSPC)
        return length < 0 ? length : talk_say(talk, weft_bytes_of(small, (size_t)length));
    large = weft_allocate(HEADER_MOST);
    if (!large)
        return WEFT_ENOMEM;
    length = weft_proxy_header_write(large, HEADER_MOST, header);
    status = length < 0 ? -EINVAL : talk_say(talk, weft_bytes_of(large, (size_t)length));
    weft_release(large);
    return status;
}

/* A header of the connection itself. Over what has no addresses it says that it is one's own. */
static int say_own(struct talk *talk, uint8_t version)
{
    weft_stream *stream = talk->layer.stream;
    weft_proxy_header header = {.version = version, .destination = stream->peer};
    int status = weft_stream_local(stream, &header.source);

    if (status < 0 || header.source.family != header.destination.family ||
        (header.source.family != WEFT_ADDRESS_IPV4 && header.source.family != WEFT_ADDRESS_IPV6))
        header = (weft_proxy_header){.version = version, .local = true};
    return say_header(talk, &header);
}

static int begin_sending(struct talk *talk)
{
    const struct sending *sending = weft_container_of(talk, const struct sending, talk);

    talk->over = true;
    return talk->out ? 0 : say_own(talk, sending->version);
}

static void free_sending(struct talk *talk)
{
    weft_release(weft_container_of(talk, struct sending, talk));
}

static const struct talk_ops sending_ops = {
    .layer = TALK_LAYER_OPS("proxy header"),
    .begin = begin_sending,
    .free = free_sending,
    /* It asks for nothing, but until the header has gone it may be given what a proxy's answer left over, and what had been
     * received before receiving was stopped (backend.h, 3). */
    .most = 2 * DELIVERY_MOST,
    .only_says = true,
};

int proxy_sender_new(uint8_t version, const weft_proxy_header *announce, struct layer **ret)
{
    struct sending *sending = weft_allocate(sizeof *sending);
    weft_proxy_header header;
    int status = 0;

    if (!sending)
        return WEFT_ENOMEM;
    talk_init(&sending->talk, &sending_ops);
    sending->version = version;
    if (announce) {
        header = *announce;
        header.version = version;
        status = say_header(&sending->talk, &header);
    }
    if (status < 0) {
        weft_release(sending);
        return status;
    }
    *ret = &sending->talk.layer;
    return 0;
}
