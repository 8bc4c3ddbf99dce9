import IR

extension Kernel {
  /// Bytes of memory that the items of a task share: the arrays, and for each type of which items combine a number each
  /// as many numbers as there are items; 32 bits for each item where a device exchanges registers through memory.
  public var localByteCount: Int {
    let arrays = shared.reduce(0) { $0 + $1.elementCount * $1.elementType.byteCount }
    let (combined, exchanges) = combinations
    return arrays + combined.reduce(0) { $0 + itemCount * $1.byteCount } + (exchanges ? itemCount * 4 : 0)
  }

  /// The types of which items combine a number each, and whether items exchange registers.
  private var combinations: (Set<ElementType>, exchanges: Bool) {
    var types: Set<ElementType> = []
    var exchanges = false
    func visit(_ statement: Statement) {
      switch statement {
      case .define(_, .foldItems(_, let operand)): types.insert(type(of: operand).element)
      case .define(_, .exchange): exchanges = true
      case .loop(let loop): loop.body.forEach(visit)
      case .branch(_, let then, let otherwise): (then + otherwise).forEach(visit)
      case .define, .store, .scatter, .atomic, .prefetch, .tile, .barrier: break
      }
    }
    body.forEach(visit)
    return (types, exchanges)
  }
}

extension [ScheduledFusion.Step] {
  /// Whether a device has the items and the local memory that each kernel needs.
  func fit(_ device: WorkGroups) -> Bool {
    allSatisfy { step in
      switch step {
      case .launch(let launch):
        launch.kernel.itemCount <= device.itemCount && launch.kernel.localByteCount <= device.arrayByteCount
      case .choice(_, let then, let otherwise): then.fit(device) && otherwise.fit(device)
      }
    }
  }
}

extension WorkGroups {
  /// The most items that can combine a number of each of these types: a power of two.
  func powerOfItems(combining types: Set<ElementType>) -> Int {
    let byteCount = types.reduce(0) { $0 + $1.byteCount }
    // Subgroups leave what they found in one of two arrays of each type.
    func localBytes(_ items: Int) -> Int {
      hasShuffles ? items * 4 + 2 * items / subgroupItemCount * byteCount : items * byteCount
    }
    var items = 1
    while items * 2 <= itemCount, max(localBytes(items * 2), items * 2 * byteCount) <= arrayByteCount { items *= 2 }
    return items
  }
}
