import IR

extension Program.Step {
  /// Calls `body` for each use of a buffer in the step; a kernel may also read what it writes.
  public func forEachAccess(in kernels: [Kernel], _ body: (BufferID, _ isWritten: Bool) -> Void) {
    switch self {
    case .launch(let launch): launch.forEachAccess(in: kernels, body)
    case .copy(let from, let to):
      body(from, false)
      body(to, true)
    case .loop(let condition, let predicate, let steps):
      body(predicate, false)
      for step in condition + steps { step.forEachAccess(in: kernels, body) }
    case .repetition(_, let steps): for step in steps { step.forEachAccess(in: kernels, body) }
    case .roundsAhead(_, let round, let predicate):
      body(predicate, false)
      for step in round { step.forEachAccess(in: kernels, body) }
    case .branch(let index, let branches):
      body(index, false)
      for step in branches.joined() { step.forEachAccess(in: kernels, body) }
    case .choice(let condition, let then, let otherwise):
      if case .holds(let buffer) = condition { body(buffer, false) }
      for step in then + otherwise { step.forEachAccess(in: kernels, body) }
    case .concurrent(let lists): for step in lists.joined() { step.forEachAccess(in: kernels, body) }
    case .bands(let bands): for launch in bands.launches { launch.forEachAccess(in: kernels, body) }
    case .size(let size): body(size.scalar, false)
    }
  }

  /// Calls `body` for each launch and copy in the step, in order.
  func forEachLeaf(_ body: (Program.Step) -> Void) {
    switch self {
    case .launch, .copy: body(self)
    case .loop(let condition, _, let steps): for step in condition + steps { step.forEachLeaf(body) }
    case .repetition(_, let steps), .roundsAhead(_, let steps, _): for step in steps { step.forEachLeaf(body) }
    case .branch(_, let lists), .concurrent(let lists): for step in lists.joined() { step.forEachLeaf(body) }
    case .choice(_, let then, let otherwise): for step in then + otherwise { step.forEachLeaf(body) }
    case .bands(let bands): for launch in bands.launches { body(.launch(launch)) }
    case .size: break
    }
  }
}

extension Program.Launch {
  /// Calls `body` for each buffer of the launch.
  public func forEachAccess(in kernels: [Kernel], _ body: (BufferID, _ isWritten: Bool) -> Void) {
    for (buffer, parameter) in zip(buffers, kernels[kernel].buffers) { body(buffer, parameter.isWritten) }
  }
}
