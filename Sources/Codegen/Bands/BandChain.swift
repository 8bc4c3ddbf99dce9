import IR

/// Launches that can run in bands and gain by it.
struct BandChain {
  let bands: Program.Bands
  /// Launches between those of the chain, which do not depend on it and run before it.
  let before: [Program.Launch]
  /// The last result, where it was to be written over an operand and has to be written elsewhere, and what is written over it
  /// later.
  let moved: (buffer: BufferID, followers: [BufferID])?

  /// The most launches that are looked at together.
  static let mostLaunches = 32

  /// The chain that gains most of those that begin with the first launch; nil where there is none. `mayMove` says whether
  /// results may be written elsewhere than was planned.
  init?(_ launches: [Program.Launch], _ lowering: ProgramLowering, _ uses: BufferUses, mayMove: Bool) {
    guard let first = launches.first else { return nil }
    var search = BandSearch(chain: [first], lowering: lowering, uses: uses, mayMove: mayMove)
    var links: [Program.Bands.Link] = []
    var others: [Program.Launch] = []
    var best: (sized: BandSizing.Sized, result: BandSearch.Result, before: [Program.Launch])?
    for launch in launches.dropFirst() {
      guard let buffer = search.handedOn(to: launch) else {
        guard search.isIndependent(launch) else { break }
        others.append(launch)
        continue
      }
      var sizing = BandSizing(launches: search.chain, lowering: lowering)
      if links.isEmpty, sizing.savedByteCount(buffer) == 0 { break }
      guard let link = search.link(buffer, to: launch) else { break }
      search.chain.append(launch)
      links.append(link)
      sizing.launches.append(launch)
      guard let sized = sizing.best(links), sized.gain > best?.sized.gain ?? 0, let result = search.result() else {
        continue
      }
      best = (sized, result, others)
    }
    guard let best else { return nil }
    (bands, before, moved) = (best.sized.bands, best.before, best.result.moved)
  }
}

/// Which launches may belong to a chain, and which may be its last.
private struct BandSearch {
  var chain: [Program.Launch]
  let lowering: ProgramLowering
  let uses: BufferUses
  let mayMove: Bool

  private func kernel(_ launch: Program.Launch) -> Kernel { lowering.kernels[launch.kernel] }
  private var last: Program.Launch { chain[chain.count - 1] }

  // MARK: Links

  /// The only buffer that the chain's last launch writes, if no other than this one reads it.
  func handedOn(to next: Program.Launch) -> BufferID? {
    let written = zip(last.buffers, kernel(last).buffers).filter { $1.isWritten }.map(\.0)
    return written.count == 1 && isPassedOn(written[0]) && next.buffers.contains(written[0]) ? written[0] : nil
  }

  /// The buffer as a link, if the tasks of both launches go through it; without its room.
  func link(_ buffer: BufferID, to next: Program.Launch) -> Program.Bands.Link? {
    let (writer, reader) = (kernel(last), kernel(next))
    let byteCount = lowering.buffers[buffer.index].type.elementType.byteCount
    guard Program.alignment % byteCount == 0, let written = last.buffers.firstIndex(of: buffer),
      let read = next.buffers.firstIndex(of: buffer), !reader.buffers[read].isWritten, !writer.reads(buffer: written),
      // Reaches count the kernels' elements, which may be words of several of the buffer's.
      writer.buffers[written].elementType.byteCount == byteCount,
      reader.buffers[read].elementType.byteCount == byteCount,
      let writtenReach = writer.reach(inBuffer: written), let readReach = reader.reach(inBuffer: read)
    else { return nil }
    return Program.Bands.Link(
      buffer: buffer, elementByteCount: byteCount, elementCount: 0, written: writtenReach, read: readReach)
  }

  /// Whether one launch writes the buffer, one reads it, and no other buffer is the same memory.
  private func isPassedOn(_ buffer: BufferID) -> Bool {
    lowering.root(of: buffer) == buffer && uses.sharers[buffer] == nil && uses.counts[buffer.index] == 2
  }

  /// Whether a launch may run before the chain, which it comes after: neither touches what the other writes.
  func isIndependent(_ launch: Program.Launch) -> Bool {
    func bytes(_ launches: [Program.Launch], onlyWritten: Bool) -> Set<BufferID> {
      var found: Set<BufferID> = []
      for launch in launches {
        launch.forEachAccess(in: lowering.kernels) { buffer, isWritten in
          if isWritten || !onlyWritten { found.insert(lowering.bytes(of: buffer).first) }
        }
      }
      return found
    }
    return bytes([launch], onlyWritten: false).isDisjoint(with: bytes(chain, onlyWritten: true))
      && bytes([launch], onlyWritten: true).isDisjoint(with: bytes(chain, onlyWritten: false))
  }

  // MARK: Results

  struct Result {
    var moved: (buffer: BufferID, followers: [BufferID])?
  }

  /// Where the last launch writes: nothing that a launch before it touches. Nil if it must.
  func result() -> Result? {
    let others = Set(chain.dropLast().flatMap(\.buffers).map { lowering.bytes(of: $0).first })
    var result = Result()
    for (buffer, parameter) in zip(last.buffers, kernel(last).buffers) where parameter.isWritten {
      guard others.contains(lowering.bytes(of: buffer).first) else { continue }
      guard result.moved == nil, let followers = followers(of: buffer, writtenBy: last) else { return nil }
      result.moved = (buffer, followers)
    }
    return result
  }

  /// The buffers that are written later over one that is written over an operand; nil where it must stay there.
  private func followers(of buffer: BufferID, writtenBy launch: Program.Launch) -> [BufferID]? {
    guard mayMove, let root = lowering.root(of: buffer), root != buffer, let first = uses.firstSteps[buffer.index]
    else { return nil }
    let sharers = uses.sharers[root] ?? []
    func isBefore(_ a: BufferID, _ b: BufferID) -> Bool {
      (uses.firstSteps[a.index] ?? .max) < (uses.firstSteps[b.index] ?? .max)
    }
    // A launch that reads the operand writes all elements; one that does not may count on those that are there.
    let operand = ([root] + sharers).filter { (uses.firstSteps[$0.index] ?? .max) < first }.max(by: isBefore)
    guard let operand, launch.buffers.contains(operand) else { return nil }
    return sharers.filter { (uses.firstSteps[$0.index] ?? 0) > first }
  }
}
