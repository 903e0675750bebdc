"""The least memory that recording can take: `python -m bench.floor VIDEO` decodes it, encodes it again as a node does,
keeps nothing, and prints the bytes it had resident at its peak."""

import sys

import av

from edge.cost import peak_memory_bytes

_AS_A_NODE = {"preset": "superfast", "tune": "zerolatency", "crf": "23"}


def main() -> None:
    """Decode and encode on one thread each, as the node's codecs do."""
    with av.open(sys.argv[1]) as video, av.open("/dev/null", "w", format="mp4") as nowhere:
        source = video.streams.video[0]
        source.codec_context.thread_count = 1
        stream = nowhere.add_stream("libx264", rate=source.average_rate, options=_AS_A_NODE)
        stream.width, stream.height, stream.pix_fmt = source.width, source.height, "yuv420p"
        stream.codec_context.thread_count = 1
        for picture in video.decode(source):
            stream.encode(picture)
        stream.encode(None)
    print(peak_memory_bytes())


if __name__ == "__main__":
    main()
