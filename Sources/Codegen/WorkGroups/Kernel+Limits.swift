import IR

extension Kernel {
  /// Bytes of memory that the items of a task share: the arrays, and for each type of which items combine a number each
  /// as many numbers as there are items.
  public var localByteCount: Int {
    let arrays = shared.reduce(0) { $0 + $1.elementCount * $1.elementType.byteCount }
    return arrays + combinedTypes.reduce(0) { $0 + itemCount * $1.byteCount }
  }

  private var combinedTypes: Set<ElementType> {
    var types: Set<ElementType> = []
    func visit(_ statement: Statement) {
      switch statement {
      case .define(_, .foldItems(_, let operand)): types.insert(type(of: operand).element)
      case .loop(let loop): loop.body.forEach(visit)
      case .branch(_, let then, let otherwise): (then + otherwise).forEach(visit)
      case .define, .store, .scatter, .atomic, .prefetch, .tile, .barrier: break
      }
    }
    body.forEach(visit)
    return types
  }
}

extension [ScheduledFusion.Step] {
  /// Whether a device has the items and the local memory that each kernel needs.
  func fit(_ device: WorkGroups) -> Bool {
    allSatisfy { step in
      switch step {
      case .launch(let launch):
        launch.kernel.itemCount <= device.itemCount && launch.kernel.localByteCount <= device.localByteCount
      case .choice(_, let then, let otherwise): then.fit(device) && otherwise.fit(device)
      }
    }
  }
}

extension WorkGroups {
  /// The most items that can combine a number of each of these types: a power of two.
  func powerOfItems(combining types: Set<ElementType>) -> Int {
    let byteCount = types.reduce(0) { $0 + $1.byteCount }
    var items = 1
    while items * 2 <= itemCount, items * 2 * byteCount <= localByteCount { items *= 2 }
    return items
  }
}
