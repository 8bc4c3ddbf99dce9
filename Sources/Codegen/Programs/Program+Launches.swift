public import IR

extension Program {
  /// Calls `body` with every launch, in order, and the number of loops it lies in.
  public func forEachLaunch(_ body: (Launch, _ depth: Int) -> Void) {
    func visit(_ steps: [Step], _ depth: Int) {
      for step in steps {
        switch step {
        case .launch(let launch): body(launch, depth)
        case .copy, .size: break
        case .loop(let condition, _, let steps): visit(condition + steps, depth + 1)
        case .repetition(_, let body), .roundsAhead(_, let body, _): visit(body, depth + 1)
        case .branch(_, let lists), .concurrent(let lists): for list in lists { visit(list, depth) }
        case .choice(_, let then, let otherwise): visit(then + otherwise, depth)
        case .bands(let bands): for launch in bands.launches { body(launch, depth) }
        }
      }
    }
    visit(steps, 0)
  }

  /// For each kernel and each of its parameters, whether another parameter may be the same memory in some launch.
  public var overlappingParameters: [[Bool]] {
    var overlaps = kernels.map { [Bool](repeating: false, count: $0.buffers.count) }
    forEachLaunch { launch, _ in
      for (i, a) in launch.buffers.enumerated() {
        for (j, b) in launch.buffers.enumerated() where i != j && mayOverlap(a, b) { overlaps[launch.kernel][i] = true }
      }
    }
    return overlaps
  }

  /// Whether the buffers' bytes may be the same; of two places in the arena whose distance is not known, they are if
  /// they begin at the same byte.
  private func mayOverlap(_ first: BufferID, _ second: BufferID) -> Bool {
    let (a, b) = (buffers[first.index], buffers[second.index])
    if a.place == b.place { return true }
    switch (a.place, b.place) {
    case (.input(let input), .output(let output)), (.output(let output), .input(let input)):
      return aliases.indices.contains(output) && aliases[output] == input
    default: break
    }
    guard case .arena(let start) = a.place, case .arena(let other) = b.place, let distance = (other - start).fixed,
      let count = a.type.byteCount.fixed, let otherCount = b.type.byteCount.fixed
    else { return false }
    return distance >= 0 ? distance < count : -distance < otherCount
  }
}

extension Kernel {
  /// The symbols in index expressions of the body.
  public var usedSymbols: Set<Symbol> {
    var found: Set<Symbol> = []
    func visit(_ statement: Statement) {
      switch statement {
      case .define(_, .load(_, let position, _)), .define(_, .index(let position)): found.formUnion(position.symbols)
      case .store(_, _, let position, _), .atomic(_, _, _, let position, _), .prefetch(_, let position, _):
        found.formUnion(position.symbols)
      case .tile(.load(_, _, let position, let stride)), .tile(.store(_, _, let position, let stride)):
        found.formUnion(position.symbols.union(stride.symbols))
      case .define, .scatter, .tile, .barrier: break
      case .loop(let loop):
        found.formUnion(loop.lower.symbols)
        found.formUnion(loop.upper.symbols)
        loop.body.forEach(visit)
      case .branch(_, let then, let otherwise): (then + otherwise).forEach(visit)
      }
    }
    body.forEach(visit)
    return found
  }
}
