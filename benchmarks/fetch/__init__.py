"""What a hostile web can do to a fetch, and what datasets from the internet cost a second time.

``python -m benchmarks.fetch`` runs the real client against a real server on this machine that misbehaves in more than
seventy ways. Each case is refused with a typed error or recovered from within its deadline and a second, leaves no
partial file that could be taken for a whole one, and tells a secret to nobody else. Then InternetArchive and FreeSound
are ingested from a server that speaks their APIs: again, after being killed, and past limits.
"""
