// Bytes whose rows and depth are known when the program runs.
func.func @main(%x: tensor<?x?xui8>, %y: tensor<?x6xui8>) -> tensor<?x6xui32> {
  %0 = stablehlo.dot_general %x, %y, contracting_dims = [1] x [0] : (tensor<?x?xui8>, tensor<?x6xui8>) -> tensor<?x6xui32>
  return %0 : tensor<?x6xui32>
}
