import RealModule

/// `exp(2π i k / n)`, correct to the last place but one: the angle is reduced to the first octant before it is rounded, so
/// that roots that are real, imaginary or on a diagonal are exactly that.
public struct RootOfUnity: Hashable, Sendable {
  public let re: Double
  public let im: Double

  public init(_ k: Int, of n: Int) {
    let turns = ((k % n) + n) % n
    // Eighths of a turn, and how far the angle is beyond them, in units of 1/8n of a turn.
    let (octant, beyond) = (8 * turns).quotientAndRemainder(dividingBy: n)
    let isMirrored = octant % 2 == 1
    let angle = 2 * Double.pi * Double(isMirrored ? n - beyond : beyond) / Double(8 * n)
    var point = (Double.cos(angle), Double.sin(angle))
    if isMirrored, beyond == 0 { point = (0.5.squareRoot(), 0.5.squareRoot()) }
    if isMirrored { point = (point.1, point.0) }
    switch octant / 2 {
    case 0: (re, im) = point
    case 1: (re, im) = (-point.1, point.0)
    case 2: (re, im) = (-point.0, -point.1)
    default: (re, im) = (point.1, -point.0)
    }
  }
}
